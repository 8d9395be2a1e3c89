"""A table in Markdown (GitHub's, which most programs read)."""

from terrawatt.report.export.escape import markdown
from terrawatt.report.export.scenarios import PaperColumn, PaperTable


def markdown_table(table: PaperTable, origin: str) -> str:
    """The table, what a reader must know of it, and where it comes from."""
    lines = [
        _row([_title(column) for column in table.columns]),
        _row(["--:" if column.is_number else ":--" for column in table.columns]),
        *(_row([markdown(cell) or "–" for cell in row]) for row in table.rows),
        "",
        markdown(" ".join((*table.remarks, origin))),
    ]
    return "\n".join(lines) + "\n"


def _title(column: PaperColumn) -> str:
    return markdown(f"{column.title} ({column.unit})" if column.unit else column.title)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
