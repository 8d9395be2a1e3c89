"""docs/table.md and docs/method.md say what is in the table."""

import re
from pathlib import Path

import pytest

from terrawatt.analysis import verdict
from terrawatt.analysis.table import all_columns

DOCS = Path(__file__).parents[2] / "docs"
TABLE = (DOCS / "table.md").read_text(encoding="utf-8")
METHOD = (DOCS / "method.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("column", all_columns((), ["<source>"]))
def test_every_column_is_documented(column):
    assert f"`{column}`" in TABLE


def test_every_verdict_is_documented():
    source = Path(verdict.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'Verdict\(\s*"([a-z-]+)"', source))
    assert len(codes) >= 8
    assert {code for code in codes if f"`{code}`" not in METHOD} == set()
