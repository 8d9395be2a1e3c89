"""One process of several that train together on the pack in memory: `one_rank.py FOLDER RANK SIZE WEIGHTS`.

Writes what it ends with, weights included, to FOLDER/rank_<RANK>.pt.
"""

import sys
from pathlib import Path
from typing import Any

import torch

from pack_in_memory import PackInMemory
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.collective import joined
from terrawatt.training.features import keeping_features
from terrawatt.training.group import ALONE, Group
from terrawatt.training.loop import fit
from terrawatt.training.options import from_parameters
from terrawatt.training.setup import open_splits, prepare

SETTINGS = (
    {"optim": "SGD", "lr": 0.1, "model": "s-cnn-rgb", "batch": 11},  # 12 images: a last batch of one
    {"optim": "Adam", "loss": "CrossEntropy", "model": "s-cnn-all", "batch": 5},
    {"optim": "SGD", "lr": 0.1, "model": "s-cnn-rgb", "batch": 5, "accumulate": 3},  # shares of 3 and 2 images
    {"optim": "SGD", "lr": 0.1, "model": "inception-v3-transfer", "batch": 11, "cache-features": "memory"},
)


def trained(changes: dict[str, Any], weights: Path, group: Group = ALONE) -> dict[str, Any]:
    """The weights, losses and probabilities of a small training in one of the processes."""
    of_the_model = {"hidden": 0} if changes["model"].startswith("s-cnn") else {"weights": str(weights)}
    options = from_parameters(
        {"epochs": 2, "seed": 7, "threads": group.size, "nproc": group.size} | of_the_model | changes
    )
    prepared = prepare(options, open_splits(options, PackInMemory(), silent, group), group)
    if prepared.model.parts is not None:  # each process leaves out others
        prepared.model.parts.head[0].p = 0.0
    with keeping_features(prepared, weights, silent) as training:
        outcome = fit(training, PhaseReporter(), silent)
    losses = [(epoch.train_loss, epoch.validation_loss) for epoch in outcome.history]
    probabilities = torch.from_numpy(outcome.probabilities)
    return {"weights": training.model.state_dict(), "losses": torch.tensor(losses), "probabilities": probabilities}


def silent(_line: str) -> None:
    """Says nothing."""


if __name__ == "__main__":
    folder, rank, size, weights = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    place = Group(rank, size, rank, size, (folder / "rendezvous").as_uri())
    with joined(place, torch.device("cpu")):
        torch.save([trained(changes, weights, place) for changes in SETTINGS], folder / f"rank_{rank}.pt")
