from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import RunFolderError
from terrawatt.records import Order
from terrawatt.runs.plan import Entry, Plan, read_plan, write_plan

PLAN = Plan(Order.BLOCKS, 7, (Entry(1, 2, 1), Entry(1, 1, 1)))


@given(st.lists(st.builds(Entry, *[st.integers(1, 10**6)] * 3), unique_by=lambda entry: entry[1:]))
def test_a_plan_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> None:
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    plan = Plan(Order.INTERLEAVED, 3, tuple(entries))
    write_plan(path, plan)
    assert read_plan(path) == plan


def test_an_entry_stands_on_a_line(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.json", PLAN)
    lines = (tmp_path / "plan.json").read_text().splitlines()
    assert '    {"block": 1, "scenario": 2, "repetition": 1},' in lines


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("blocks", "backwards"),
        ('"scenario": 2', '"scenario": 0'),
        ('"scenario": 2', '"scenario": 1.5'),
        ('"scenario": 2', '"scenario": 1'),
        ('"repetition"', '"time"'),
        ("{", ""),
        ('"format_version": 1', '"format_version": 2'),
    ],
)
def test_what_is_no_plan_is_named(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "plan.json"
    write_plan(path, PLAN)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RunFolderError, match=r"plan\.json: (not a plan|format 2)"):
        read_plan(path)


def test_a_run_without_a_plan(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"no plan\.json, so no sweep"):
        read_plan(tmp_path / "plan.json")
