"""`terrawatt doctor`: whether this machine is fit for measuring now."""

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.options import ConfigOption, ResultsOption, parse_number
from terrawatt.errors import UnusableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrawatt.experiment.doctor.finding import Finding

_STYLES = {"good": "green", "doubtful": "yellow", "bad": "bold red", "unknown": "dim"}


def doctor(
    watch: Annotated[
        float,
        typer.Option("--watch", metavar="SECONDS", parser=parse_number, help="How long to wait for readings at most."),
    ] = 15.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    results: ResultsOption = None,
    config: ConfigOption = None,
) -> None:
    """See whether this machine is fit for measuring now, and what to do if not. Exit code 3: measuring is unwise."""
    if watch <= 0:
        raise UsageError(f"--watch {watch:g}: looking takes some time")
    import json
    from dataclasses import asdict

    from terrawatt.config import load
    from terrawatt.experiment.doctor.examine import examine
    from terrawatt.experiment.doctor.finding import is_unwise

    settings = load(config)
    if results is not None:
        experiment = settings.experiment.model_copy(update={"results": results})
        settings = settings.model_copy(update={"experiment": experiment})
    if sys.stderr.isatty():
        typer.echo(f"looking at sources and machine, for up to {watch:g} s …", err=True)
    findings = examine(settings, watch)
    if as_json:
        found = {"is_unwise": is_unwise(findings), "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print(findings)
    if is_unwise(findings):
        bad = [finding.name for finding in findings if finding.level == "bad"]
        raise UnusableError(f"measuring now would be unwise: {', '.join(dict.fromkeys(bad))}; see above")


def _print(findings: "Sequence[Finding]") -> None:
    """The findings by section: level, name, what was found; behind an arrow what to do. Wrapped in a terminal only."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    width = console.width if console.is_terminal else None
    name_width = max(len(finding.name) for finding in findings)
    for section in dict.fromkeys(finding.section for finding in findings):
        console.print(section, style="bold")
        for finding in (finding for finding in findings if finding.section == section):
            before = Text.assemble(
                "  ", (f"{finding.level:<8}", _STYLES[finding.level]), f"  {finding.name:<{name_width}}  "
            )
            lines = wrapped(finding.what, "", width, len(before))
            if finding.advice:
                lines += wrapped(finding.advice, "→ ", width, len(before))
            console.print(before + lines[0])
            for line in lines[1:]:
                console.print(" " * len(before) + line)
        console.print()
    counts = Counter(str(finding.level) for finding in findings)
    console.print(", ".join(f"{counts[level]} {level}" for level in _STYLES if counts[level]))


def wrapped(text: str, mark: str, width: int | None, indent: int) -> list[str]:
    """A text as lines that fit behind an indent, the first with a mark and the others below it; None: one line."""
    import textwrap

    if width is None:
        return [mark + text]
    room = max(width - indent, 20)
    return textwrap.wrap(text, room, initial_indent=mark, subsequent_indent=" " * len(mark), break_on_hyphens=False)
