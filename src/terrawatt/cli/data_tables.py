"""What `terrawatt data info` prints: tables in a terminal, plain lines elsewhere."""

from rich.console import Console
from rich.table import Table

from terrawatt.data.info import DataInfo

_PROBLEMS_SHOWN = 20


def print_info(info: DataInfo) -> None:
    """Print an archive or a pack in numbers."""
    console = Console()
    show = _print_table if console.is_terminal else _print_lines
    show(console, "", ("", ""), _facts(info))
    show(console, "splits", ("split", "listed", "here", "usable"), _splits(info))
    for n_classes, counts in info.label_counts.items():
        rows = [(name, str(count)) for name, count in counts.items() if count]
        title = f"{n_classes} labels, {len(rows)} of them here"
        show(console, title, ("label", "patches"), rows)
    for problem in info.problems[:_PROBLEMS_SHOWN]:
        _print(console, problem)
    if len(info.problems) > _PROBLEMS_SHOWN:
        _print(console, f"… and {len(info.problems) - _PROBLEMS_SHOWN} more")


def _facts(info: DataInfo) -> list[tuple[str, ...]]:
    here = sum(split.on_disk for split in info.splits.values())
    listed = sum(split.listed for split in info.splits.values())
    facts = {
        "what": f"{info.kind} of BigEarthNet {info.version}",
        "where": str(info.path),
        "patches": str(info.patches),
        "listed but not on disk": str(listed - here),
        "on disk but on no list": str(info.unlisted),
        "without a split": str(info.without_split),
        **{f"flagged: {reason}": str(count) for reason, count in info.flagged.items()},
        "missing or broken": f"{len(info.problems)} patches",
    }
    if info.kind == "pack":
        facts = {name: value for name, value in facts.items() if " on disk" not in f" {name}"}
    elif not listed:
        facts["listed but not on disk"] = facts["on disk but on no list"] = "there are no lists"
    return list(facts.items())


def _splits(info: DataInfo) -> list[tuple[str, ...]]:
    return [(name, str(split.listed), str(split.on_disk), str(split.usable)) for name, split in info.splits.items()]


def _print_table(console: Console, title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = Table(title=title or None, title_justify="left", show_header=any(header))
    for position, name in enumerate(header):
        table.add_column(name, justify="right" if position else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _print_lines(console: Console, title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if title:
        _print(console, f"{title}:")
    for name, *values in rows:
        named = [
            f"{value} {column}" if len(values) > 1 else value for value, column in zip(values, header[1:], strict=True)
        ]
        _print(console, f"{'  ' if title else ''}{name}: {', '.join(named)}")


def _print(console: Console, text: str) -> None:
    """One line, however long, and without rich's own markup."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
