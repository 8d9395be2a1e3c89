r"""A table in LaTeX, for `\input`: booktabs for its rules, siunitx 3 for its numbers, longtable where it is long."""

import re
from collections.abc import Sequence

from terrawatt.report.export.escape import latex
from terrawatt.report.export.scenarios import PaperColumn, PaperTable

LONG = 40  # rows that fit on a page
_NUMBER = re.compile(r"^(?P<sign>-?)(?P<whole>\d+)(?:\.(?P<decimals>\d+))?(?:\((?P<u>\d+)\))?$")


def latex_table(table: PaperTable, origin: str, label: str = "tab:scenarios") -> str:
    """The table as a float, or as a longtable when it has more than `LONG` rows.

    Args:
        table: what is shown.
        origin: where it comes from, for a comment.
        label: to refer to it.
    """
    caption = rf"\caption{{{latex(' '.join(table.remarks))}}}\label{{{label}}}"
    formats = [_format(column) for column in table.columns]
    alignment = " ".join("S" + form if form else "r" if column.is_number else "l" for column, form in _pairs(table))
    head = [
        rf"{_row([f'{{{latex(column.title)}}}' for column in table.columns])} \\",
        rf"{_row([_unit(column) for column in table.columns])} \\",
    ]
    body = [rf"{_row(_cells(table.columns, row, formats))} \\" for row in table.rows]
    needs = "booktabs, siunitx (3)" + (", longtable" if len(body) > LONG else "")
    comment = f"% {latex(origin)}\n% Needs the packages {needs}.\n"
    if len(body) > LONG:
        lines = [
            rf"\begin{{longtable}}{{{alignment}}}",
            rf"{caption} \\",
            r"\toprule",
            *head,
            r"\midrule",
            r"\endhead",
            *body,
            r"\bottomrule",
            r"\end{longtable}",
        ]
    else:
        lines = [
            r"\begin{table}",
            r"\centering",
            caption,
            rf"\begin{{tabular}}{{{alignment}}}",
            r"\toprule",
            *head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    return comment + "\n".join(lines) + "\n"


def _pairs(table: PaperTable) -> list[tuple[PaperColumn, str]]:
    return [(column, _format(column)) for column in table.columns]


def _format(column: PaperColumn) -> str:
    """The table-format of siunitx for a column of numbers; empty where they have powers of ten, or are words."""
    found = [_NUMBER.match(cell) for cell in column.cells if cell]
    if not column.is_number or not found or None in found:
        return ""
    parts = [one.groupdict(default="") for one in found if one is not None]
    sign = "-" if any(part["sign"] for part in parts) else ""
    whole, decimals, u = (max(len(part[name]) for part in parts) for name in ("whole", "decimals", "u"))
    return f"[table-format={sign}{whole}{f'.{decimals}' if decimals else ''}{f'({u})' if u else ''}]"


def _unit(column: PaperColumn) -> str:
    """The line below the title; siunitx writes units that are letters only, others are text."""
    if not column.unit:
        return ""
    unit = rf"\unit{{{column.unit}}}" if column.unit.isascii() and column.unit.isalpha() else latex(column.unit)
    return f"{{({unit})}}"


def _cells(columns: Sequence[PaperColumn], row: Sequence[str], formats: Sequence[str]) -> list[str]:
    return [_cell(column, cell, form) for column, cell, form in zip(columns, row, formats, strict=True)]


def _cell(column: PaperColumn, cell: str, form: str) -> str:
    if not cell:
        return "{--}"
    if not column.is_number:
        return latex(cell)
    return cell if form else rf"\num{{{cell}}}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells)
