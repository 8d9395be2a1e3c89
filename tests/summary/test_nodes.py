"""The runs of several nodes as one execution, in folders with a known truth."""

import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from run_folders import IDLE_W, PLUG, REPETITION_S, RUN_W, S
from terrawatt.cli.app import main
from terrawatt.errors import UsageError
from terrawatt.records import Window
from terrawatt.report.look import Look
from terrawatt.runs.layout import scenario_folders
from terrawatt.runs.manifest import read_manifest, write_manifest
from terrawatt.runs.phases import append_phases, read_phases
from terrawatt.runs.status import State
from terrawatt.summary.gather import gather
from terrawatt.summary.nodes import as_nodes
from terrawatt.summary.summarise import summarise

NET_J, GROSS_J = (RUN_W - IDLE_W) * REPETITION_S, RUN_W * REPETITION_S
ENERGY = "Energy (plug)"


@pytest.fixture
def make_node(make_run):
    """Makes the run of one node: `node-<number>`, or another host."""

    def make(number, *recipes, host=None, **changes):
        path = make_run(number, *recipes, **changes)
        for folder in scenario_folders(path):
            write_manifest(folder.manifest, replace(read_manifest(folder.manifest), host=host or f"node-{number}"))
        return path

    return make


def nodes(*paths):
    return as_nodes(gather(paths))


def test_two_nodes_have_one_row_a_repetition_with_the_energy_of_both(make_node):
    found = nodes(make_node(1), make_node(2, is_trained=False))
    alone = gather([make_node(3)])
    frame, one = found.table.frame, alone.table.frame
    assert list(frame["Repetition"]) == [1, 2, 3]
    assert list(frame["Run"]) == [1, 1, 1]
    assert found.table.hosts == ("node-1 + node-2",) * 3
    assert frame[ENERGY].to_list() == pytest.approx([2 * NET_J] * 3, rel=1e-3)
    assert frame["Energy gross (plug)"].to_list() == pytest.approx([2 * GROSS_J] * 3, rel=1e-3)
    for column in (f"u {ENERGY}", f"u common {ENERGY}", "u Energy gross (plug)"):
        assert frame[column].to_list() == pytest.approx((math.sqrt(2) * one[column]).to_list())
    for column in ("Emissions (plug)", "Energy (CodeCarbon)", "Emissions"):
        assert frame[column].to_list() == pytest.approx((2 * one[column]).to_list())
    assert (frame["u Emissions (plug)"] > math.sqrt(2) * one["u Emissions (plug)"]).all()  # the intensity is one
    assert frame["Duration"].to_list() == [REPETITION_S] * 3


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_scores_are_of_the_node_that_wrote_the_outputs(make_node, order):
    made = {1: make_node(1), 2: make_node(2, is_trained=False)}
    frame = nodes(*(made[number] for number in order)).table.frame
    expected = gather([made[1]]).table.frame
    for column in ("Accuracy", "macro_f1", "Parameters"):
        assert frame[column].to_list() == expected[column].to_list()
    assert not frame["Verdict"].str.contains("Accuracy").any()


def test_what_means_something_on_one_machine_only_is_empty_with_a_reason(make_node):
    found = nodes(make_node(1), make_node(2))
    for column in ("CPU", "Memory", "Reads", "Energy train (plug)"):
        assert found.table.frame[column].isna().all()
        assert found.table.frame["Verdict"].str.contains(column, regex=False).all()
    assert found.table.frame["Verdict"].str.contains("of one machine; see the summary of each node").all()


def test_a_node_without_readings_makes_the_energy_missing_and_names_itself(make_node):
    found = nodes(make_node(1), make_node(2, silent=("plug",)))
    assert found.table.frame[ENERGY].isna().all()
    assert found.table.frame["Verdict"].str.contains("unusable").all()
    assert all(row.is_unusable for row in found.rows)
    assert found.table.frame["Verdict"].str.contains("node-2: ").all()


def test_a_repetition_that_failed_on_one_node_cannot_be_used(make_node):
    states = (State.DONE, State.FAILED, State.DONE)
    found = nodes(make_node(1), make_node(2, states=states))
    assert [row.is_unusable for row in found.rows] == [False, True, False]
    assert pd.isna(found.table.frame[ENERGY][1])
    assert "node-2: failed" in found.table.frame["Verdict"][1]


def test_repetitions_that_only_some_nodes_have_are_left_out_and_told(make_node):
    states = (State.DONE, State.DONE, State.PENDING)
    found = nodes(make_node(1), make_node(2, states=states))
    assert list(found.table.frame["Repetition"]) == [1, 2]
    assert any("without repetitions 3" in note for note in found.notes)


def test_groups_are_put_together_by_their_number(make_node, make_run):
    from run_folders import Recipe

    recipes = (Recipe(), Recipe(parameters=(("model", "s-cnn-rgb"), ("lr", 0.01))))
    found = nodes(make_node(1, *recipes), make_node(2, *recipes))
    assert list(found.table.frame["Group"]) == [1, 1, 1, 2, 2, 2]
    assert list(found.table.frame["Model"]) == ["s-cnn-all"] * 3 + ["s-cnn-rgb"] * 3


def test_a_second_source_of_one_node_only_is_missing(make_node):
    rapl = replace(PLUG, name="rapl", series=replace(PLUG.series, tags=(("host", "lab"), ("source", "rapl"))))
    found = nodes(make_node(1, sources=(PLUG, rapl)), make_node(2))
    assert found.table.frame["Energy (rapl)"].isna().all()
    assert found.table.frame["Verdict"].str.contains("no such source on node-2").all()
    assert not any(row.is_unusable for row in found.rows)


def test_one_run_or_two_of_one_machine_are_no_nodes(make_node):
    first = make_node(1)
    with pytest.raises(UsageError, match="run_1: one run"):
        nodes(first)
    with pytest.raises(UsageError, match="run_1 and run_2 are both of node-1"):
        nodes(first, make_node(2, host="node-1"))


def test_runs_of_different_scenarios_are_no_nodes(make_node):
    with pytest.raises(UsageError, match="different scenarios"):
        nodes(make_node(1), make_node(2, parameters=(("model", "s-cnn-rgb"),)))


def test_runs_at_different_times_are_no_nodes(make_node):
    first, second = make_node(1), make_node(2)
    (folder,) = scenario_folders(second)
    later = [
        replace(phase, window=Window(phase.window.start_ns + 61 * S, phase.window.end_ns + 61 * S))
        for phase in read_phases(folder.phases)
    ]
    folder.phases.unlink()
    append_phases(folder.phases, later)
    with pytest.raises(UsageError, match="repetition 1 of run_1, run_2 was not measured at the same time"):
        nodes(first, second)


def test_the_summary_tells_of_each_node_and_draws_no_curve(make_node, tmp_path):
    result = summarise(
        [make_node(1), make_node(2)],
        tmp_path / "out",
        nodes=True,
        look=Look(("energy_performance", "power_curve"), ("svg",)),
    )
    record = json.loads(result.files.json.read_text())
    assert [run["name"] for run in record["runs"]] == ["run_1", "run_2"]
    assert len(record["repetitions"]) == 3
    assert "nodes of one execution: node-1 + node-2" in result.notes
    assert result.report is not None
    assert result.report.exists()
    assert [path.stem for path in (tmp_path / "out" / "figures").iterdir()] == ["energy_performance"]


def test_the_command_adds_nodes(make_node, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = make_node(1), make_node(2)
    with pytest.raises(SystemExit):
        main(["summary", "--nodes", "--file", "True", str(first), str(second)])
    assert "--nodes and --file True" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["summary", "--nodes", "--out", "both", "--figures", "none", str(first), str(second)])
    assert pd.read_csv("both/output_all.csv")[ENERGY].to_list() == pytest.approx([2 * NET_J] * 3, rel=1e-3)
