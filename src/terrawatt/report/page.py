"""`report.html`: one file that opens anywhere, without a network."""

from collections.abc import Sequence
from pathlib import Path

import jinja2

from terrawatt.report.content import ReportContent
from terrawatt.runs.atomic import write_text


def write_report(
    content: ReportContent, folder: Path, *, formats: Sequence[str] = ("svg", "png", "pdf", "html")
) -> Path:
    """Write `report.html` and `figures/<name>.<format>` into a folder.

    Returns:
        The page.
    """
    environment = jinja2.Environment(autoescape=True)
    page = environment.from_string("<!doctype html><title>{{ content.title }}</title>").render(content=content)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "report.html", page)
    return folder / "report.html"
