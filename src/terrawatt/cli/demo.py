"""`terrawatt demo`: the whole chain on small data of its own, by the very commands that a user would type."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from terrawatt.errors import ProtocolError, UsageError

EXPERIMENT = "demo"

SETTINGS = f"""\
# A trial: idle times are far too short, and repetitions too few, for numbers to publish (docs/protocol.md).
[experiment]
name = "{EXPERIMENT}"

[data]
pack = "pack"

[protocol]
cold_s = 15
idle_after_s = 10
warmup = 1
repetitions = 3

[sampling]
interval_s = 0.5

# No plug here: the power is estimated from the CPU's load. See docs/telemetry.md for other sources.
[[sources]]
name = "estimate"
kind = "estimate"
"""

SCENARIOS = """\
# Two models, everything else the same. The format is Qanat's (docs/parameter-files.md).
fixed_args:
  options: {'--optim': Adam, '--lr': 0.001, '--loss': BCEWithLogits, '--epochs': 4, '--batch': 25, '--count': 1}
varying_args:
  groups:
    - options: {'--model': s-cnn-rgb}
    - options: {'--model': s-cnn-all}
"""


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of everything that it makes.")] = Path(
        "terrawatt-demo"
    ),
    patches: Annotated[int, typer.Option("--patches", metavar="N", help="Synthetic patches.", min=50)] = 300,
) -> None:
    """Make data, pack them, measure two models three times each, and write the report: a few minutes."""
    _prepare(out)
    typer.echo(f"Everything goes to {out}; the same commands, typed there, do the same.")
    if not (out / "archive").exists():
        _terrawatt(out, "data", "synth", "archive", "--version", "v2", "--patches", str(patches), "--seed", "1")
    if not (out / "pack").exists():
        _terrawatt(out, "data", "pack", "archive", "pack")
    _terrawatt(out, "run", "--param-file", "scenarios.yml")
    _terrawatt(out, "summary", str(_newest_run(out)))


def _prepare(out: Path) -> None:
    """Make the folder with its settings and scenarios, or take that of an earlier demo.

    Raises:
        UsageError: the folder holds something else.
    """
    settings, scenarios = out / "terrawatt.toml", out / "scenarios.yml"
    if out.exists() and any(out.iterdir()) and not (settings.is_file() and scenarios.is_file()):
        raise UsageError(f"{out}: not empty, and not an earlier demo; choose another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    for path, text in ((settings, SETTINGS), (scenarios, SCENARIOS)):
        if not path.exists():
            path.write_text(text, encoding="utf-8")


def _terrawatt(folder: Path, *arguments: str) -> None:
    """Show a command, and run it in the folder as a user would.

    Raises:
        ProtocolError: it failed; what is wrong, it has said itself.
    """
    typer.secho(f"\n$ terrawatt {shlex.join(arguments)}", bold=True)
    sys.stdout.flush()
    ended = subprocess.run([sys.executable, "-P", "-m", "terrawatt", *arguments], cwd=folder, check=False)
    if ended.returncode:
        raise ProtocolError(f"the demo ends here: `terrawatt {shlex.join(arguments)}` failed in {folder}")


def _newest_run(folder: Path) -> int:
    runs = (folder / "results" / EXPERIMENT).glob("run_*")
    return max(int(run.name.removeprefix("run_")) for run in runs)
