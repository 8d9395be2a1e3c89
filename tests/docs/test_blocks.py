"""The shell blocks of README and docs do what they say: each is run, page by page, unless a marker says why not.

`<!-- not run: REASON -->` on the line before a block keeps it from being run. A block with a title is a file of that
name. Of a `console` block the lines after `$` are run. What a page takes for granted (an archive, earlier runs) is made
before it.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import run_folders
from doc_pages import PAGES, ROOT, Block, blocks
from run_folders import Recipe
from scattered_runs import make_scattered

SHELL = ("sh", "bash", "console")

EXPERIMENT = "conso-classif-deep"  # the default of the settings
POWERS_W = {"s-cnn-rgb": [90.0, 90.4, 89.7, 90.1], "s-cnn-all": [95.0, 95.3, 94.6, 95.2]}

# A page's own options stand over these; everything else is as short as it can be.
SHORT = {
    "TERRAWATT_PROTOCOL__COLD_S": "1",
    "TERRAWATT_PROTOCOL__IDLE_AFTER_S": "1",
    "TERRAWATT_PROTOCOL__WARMUP": "0",
    "TERRAWATT_PROTOCOL__REPETITIONS": "1",
    "TERRAWATT_SAMPLING__INTERVAL_S": "0.2",
    "TERRAWATT_EMISSIONS__ENABLED": "false",
}


def commands(block: Block) -> str:
    """The block as a script of bash."""
    if block.language != "console":
        return block.text
    lines: list[str] = []
    goes_on = False
    for line in block.lines:
        if line.startswith("$ ") or goes_on:
            lines.append(line.removeprefix("$ "))
            goes_on = line.endswith("\\")
    return "\n".join(lines)


def run(folder: Path) -> None:
    """Run 1, of one trained model, with a plug."""
    run_folders.make_run(folder / "results", 1, Recipe())
    (folder / "results/conso").rename(folder / "results" / EXPERIMENT)


def run_3(folder: Path) -> None:
    """The same as run 3, of two trained models."""
    parameters = dict(Recipe().parameters)
    models = [tuple((parameters | {"model": model}).items()) for model in ("s-cnn-rgb", "s-cnn-all")]
    run_folders.make_run(folder / "results", 3, *(Recipe(parameters=model) for model in models))
    (folder / "results/conso").rename(folder / "results" / EXPERIMENT)


def runs(folder: Path) -> None:
    """Runs 1 to 4, of one model each, whose repetitions scatter."""
    for number, model in enumerate(("s-cnn-rgb", "s-cnn-all", "s-cnn-all", "s-cnn-all"), start=1):
        make_scattered(folder / "results", number, **{model: POWERS_W[model]})
    (folder / "results/conso").rename(folder / "results" / EXPERIMENT)


def sweep(folder: Path) -> None:
    """Run 1, of two models, whose repetitions scatter."""
    make_scattered(folder / "results", 1, **POWERS_W)
    (folder / "results/conso").rename(folder / "results" / EXPERIMENT)


def archive(folder: Path) -> None:
    """A small archive, its lists beside it."""
    made = folder / "BigEarthNet-v1.0"
    command = [sys.executable, "-m", "terrawatt", "data", "synth", str(made), "--patches", "60"]
    subprocess.run(command, check=True, capture_output=True)
    (made / "splits").rename(folder / "splits")


def program(folder: Path) -> None:
    """What is measured."""
    for name in ("my_program.py", "train.py"):
        (folder / name).write_text("print('done')\n", encoding="utf-8")


BEFORE: Mapping[str, tuple[Callable[[Path], None], ...]] = {
    "README.md": (archive, program, runs),
    "docs/exports.md": (run,),
    "docs/fr/lire-le-rapport.md": (sweep,),
    "docs/plan-and-run-a-sweep.md": (program, run),
    "docs/report.md": (run_3,),
    "docs/statistics.md": (sweep,),
    "docs/stores.md": (runs,),
}


def shell_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in SHELL and commands(block)]


RUN = [page for page in PAGES if any(not block.reason for block in shell_blocks(page))]


def environment(folder: Path) -> dict[str, str]:
    return os.environ | SHORT | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TERRAWATT_EXPERIMENT__LOCK": str(folder / "lock"),
        "PYTHONWARNINGS": "default",
    }  # fmt: skip


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    name = str(page.relative_to(ROOT))
    folder = tmp_path / "work"
    folder.mkdir()
    for prepare in BEFORE.get(name, ()):
        prepare(folder)
    for block in blocks(page):
        if block.title:
            (folder / block.title).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.title).write_text(block.text, encoding="utf-8")
        if block.language in SHELL and not block.reason:
            command = ["bash", "-euo", "pipefail", "-c", commands(block)]
            ended = subprocess.run(
                command, cwd=folder, env=environment(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, text=True
            )
            assert ended.returncode == 0, f"{block.where}: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"


def test_the_french_start_page_shows_the_same_first_commands() -> None:
    french = [block for block in blocks(ROOT / "docs/fr/index.md") if block.reason == "it runs on the start page"]
    assert len(french) == 1
    start = {block.text for block in shell_blocks(ROOT / "docs/index.md") if not block.reason}
    assert french[0].text in start


def test_pages_whose_needs_are_prepared_are_run() -> None:
    assert set(BEFORE) <= {str(page.relative_to(ROOT)) for page in RUN}


def test_commands_stand_in_shell_blocks() -> None:
    """So that none is forgotten: no block without a language begins with a command."""
    starts = ("$ ", "terrawatt ", "qanat ", "pip ", "sudo ", "make ")
    plain = [block for page in PAGES for block in blocks(page) if not block.language]
    assert len(plain) > 5
    assert [block.where for block in plain if any(line.startswith(starts) for line in block.lines)] == []


def test_what_is_not_run_is_a_shell_block_with_a_reason() -> None:
    left_out = [block for page in PAGES for block in blocks(page) if block.reason]
    assert [block.where for block in left_out if block.language not in SHELL] == []
    assert all(len(block.reason.split()) > 1 for block in left_out)
    markers = sum(page.read_text(encoding="utf-8").count("<!-- not run") for page in PAGES)
    assert markers == len(left_out), "a marker must stand right before its block, as `<!-- not run: REASON -->`"


def test_every_command_of_a_block_that_is_not_run_can_be_read() -> None:
    """At least their quotes close."""
    for page in PAGES:
        for block in shell_blocks(page):
            shlex.split(commands(block), comments=True)
