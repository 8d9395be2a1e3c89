"""The catalogues of report and comparison anew: every text of their sources, with the translations that there are.

    python scripts/catalogue.py

New texts come without a translation (tests/report/test_catalogue.py fails until they have one), texts that are gone go.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parents[1] / "src" / "terrawatt"
REPORT = PACKAGE / "report"
KEYWORDS = {"say": None, "mark": None, "say_n": (1, 2)}
_METHODS = {".py": "python", ".html": "jinja2", ".js": "jinja2"}
_COMPARE = ("cli/compare.py", "summary/compare.py", "summary/limit.py", "summary/scenarios.py", "summary/wording.py")
SOURCES = sorted(
    [*(path for path in REPORT.rglob("*") if path.suffix in _METHODS), *(PACKAGE / name for name in _COMPARE)]
)


def extracted() -> Catalog:
    """Every text that the report or a comparison says, with the files that say it."""
    found = Catalog(project="terrawatt", charset="utf-8", fuzzy=False)
    for name, text in _texts():
        found.add(text, locations=[(name, None)])
    return found


def catalogues() -> list[Path]:
    """The catalogue of each language."""
    return sorted(REPORT.glob("locale/*/LC_MESSAGES/report.po"))


def updated(path: Path) -> bytes:
    """A catalogue with the texts of today, as its file is to be."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    catalogue.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    written = BytesIO()
    write_po(written, catalogue, width=100, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return written.getvalue()


def _texts() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for path in SOURCES:
        with path.open("rb") as file:
            for _, text, _, _ in extract(_METHODS[path.suffix], file, KEYWORDS, (), {"encoding": "utf-8"}):
                yield path.relative_to(PACKAGE).as_posix(), text


if __name__ == "__main__":
    for catalogue in catalogues():
        catalogue.write_bytes(updated(catalogue))
