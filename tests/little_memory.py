"""A training with little memory, then ones as its error advises: `little_memory.py FOLDER` prints how each ended.

Each in a process of its own: the limit of its addresses cannot be taken back.
"""

import multiprocessing
import re
import resource
import sys
from pathlib import Path

import psutil
import torch

from pack_in_memory import PackInMemory
from terrawatt.data.pack import Pack
from terrawatt.errors import TrainingError
from terrawatt.training.options import from_parameters
from terrawatt.training.workload import run

BATCH, ROOM_BYTES = 128, 900_000_000


def attempt(folder: Path, changes: dict[str, int]) -> str:
    """What a small training says, with so much room."""
    torch.set_num_threads(1)
    pack = PackInMemory(train=BATCH, validation=2, test=2)
    Pack.open = lambda _path: pack
    limit = psutil.Process().memory_info().vms + ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    given = {"model": "s-cnn-rgb", "optim": "Adam", "epochs": 1, "threads": 1, "data": "pack-in-memory", "batch": BATCH}
    options = from_parameters(given | {"device": "cpu"} | changes)
    try:
        run(options, folder, say=lambda _line: None)
    except TrainingError as error:
        return str(error)
    return "enough"


def main(folder: Path) -> None:
    """Run out of memory, then not."""
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        lines = [pool.apply(attempt, (folder, {}))]
        if advised := re.search(r"give --batch (\d+).*--accumulate (\d+)$", lines[0]):
            for name, value in zip(("batch", "accumulate"), advised.groups(), strict=True):
                lines.append(pool.apply(attempt, (folder, {name: int(value)})))
    sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
