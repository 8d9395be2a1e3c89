"""docs/table.md and docs/verdicts.md say what is in the table."""

import re
from pathlib import Path

import pytest

import terrawatt
from terrawatt.analysis.table import all_columns

DOCS = Path(__file__).parents[2] / "docs"
TABLE = (DOCS / "table.md").read_text(encoding="utf-8")
VERDICTS = (DOCS / "verdicts.md").read_text(encoding="utf-8")
CODES = re.compile(r'Verdict\(\s*"([a-z-]+)"')


@pytest.mark.parametrize("column", all_columns((), ["<source>"]))
def test_every_column_is_documented(column):
    assert f"`{column}`" in TABLE


def codes():
    """The codes of all verdicts in the package."""
    package = Path(terrawatt.__file__).parent
    return {code for file in package.rglob("*.py") for code in CODES.findall(file.read_text(encoding="utf-8"))}


def test_every_verdict_is_documented():
    assert len(codes()) >= 20
    assert {code for code in codes() if f"`{code}`" not in VERDICTS} == set()


def test_no_other_verdict_is_documented():
    documented = {code for line in VERDICTS.splitlines() for code in re.findall(r"^\| `([a-z-]+)` \|", line)}
    assert {code for code in documented if not code.endswith("-repetition")} == codes()
