"""Runs of known powers against each other: 40 W idle, 60 s each repetition."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from run_folders import COLD_S, PLUG, T0, Recipe, S
from scattered_runs import change_manifest, make_scattered, with_powers
from terrawatt.analysis.comparison import Method
from terrawatt.errors import UsageError
from terrawatt.records import AccuracyBand, Sample
from terrawatt.runs.layout import RunFolder, prepare_run, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.status import State
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.compare import compare_runs
from terrawatt.summary.gather import gather
from terrawatt.summary.scenarios import By
from terrawatt.summary.wording import details, percents, verdict

RNG = np.random.default_rng(3)


def around(power_w, n=10, spread_w=0.5):
    return power_w + spread_w * RNG.normal(size=n)


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def only(report):
    (column,) = report.columns
    (found,) = column.verdicts
    return found.comparison, found.words


def test_scenarios_of_a_run_by_what_varies(results):
    path = make_scattered(results, 1, a=around(84), b=around(90), c=around(90))
    report = compare_runs([path])
    (column,) = report.columns
    assert (column.column, column.unit) == ("Energy (plug)", "J")
    assert [scenario.label for scenario in column.scenarios] == ["a", "b", "c"]
    assert [(one.comparison.first, one.comparison.second) for one in column.verdicts] == [("a", "b"), ("a", "c")]
    shown = column.verdicts[0].comparison
    assert shown.ratio == pytest.approx(44 / 50, rel=0.02)
    assert (shown.family, shown.method, shown.n) == (2, Method.WELCH, (10, 10))
    assert column.verdicts[0].words.startswith("a uses 1")
    assert " % less than b (95 % interval " in column.verdicts[0].words


def test_all_pairs(results):
    path = make_scattered(results, 1, a=around(84), b=around(90), c=around(90))
    (column,) = compare_runs([path], all_pairs=True).columns
    assert [(one.comparison.first, one.comparison.second) for one in column.verdicts] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    assert column.verdicts[2].words.startswith("no difference shown between b and c (95 % interval ")


def test_two_runs_of_one_scenario_are_compared_as_runs(results):
    paths = [make_scattered(results, number, a=around(power_w)) for number, power_w in ((1, 90), (2, 150))]
    comparison, words = only(compare_runs(paths))
    assert (comparison.first, comparison.second) == ("run_1", "run_2")
    assert words.startswith("run_1 uses 5")
    _, turned = only(compare_runs(paths[::-1]))
    assert turned.startswith("run_2 uses 2.")
    assert "times as much as run_1" in turned


def test_runs_of_a_scenario_are_pooled_or_kept_apart(results):
    paths = [make_scattered(results, number, a=around(84), b=around(90)) for number in (1, 2)]
    (pooled,) = compare_runs(paths).columns
    assert [(scenario.label, scenario.mean.n, len(scenario.runs)) for scenario in pooled.scenarios] == [
        ("a", 20, 2),
        ("b", 20, 2),
    ]
    assert pooled.scenarios[0].mean.bootstrap is not None
    (apart,) = compare_runs(paths, by=By.RUN).columns
    assert [scenario.label for scenario in apart.scenarios] == [
        "run_1/group_1 · a",
        "run_1/group_2 · b",
        "run_2/group_1 · a",
        "run_2/group_2 · b",
    ]


def test_three_runs_with_both_scenarios_are_pairs(results):
    paths = []
    for number, power_w in ((1, 80), (2, 90), (3, 100)):  # what differs from run to run, they have in common
        net_w = power_w - 40
        paths.append(make_scattered(results, number, a=around(power_w, 4), b=around(40 + 1.1 * net_w, 4)))
    comparison, _ = only(compare_runs(paths))
    assert (comparison.method, comparison.n_pairs) == (Method.PAIRED, 3)
    assert comparison.ratio == pytest.approx(1 / 1.1, rel=0.02)
    assert comparison.is_shown
    apart, _ = only(compare_runs(paths, may_pair=False))
    assert not apart.is_shown


def test_scenarios_in_randomised_blocks_are_paired(results):
    path = make_scattered(results, 1, a=around(80, 6), b=around(90, 6))
    for folder in scenario_folders(path):
        change_manifest(folder.path, blocks=(1, 2, 3, 4, 5, 6), order="blocks")
    comparison, _ = only(compare_runs([path]))
    assert (comparison.method, comparison.n_pairs) == (Method.PAIRED, 6)


def test_the_meter_is_common_and_each_idle_level_is_its_own(results):
    path = make_scattered(results, 1, a=around(90), b=around(90.5))
    comparison, _ = only(compare_runs([path]))
    (column,) = compare_runs([path]).columns
    # ±3 W at both levels for 60 s, of 3 kJ: 4.9 % of either energy, and next to nothing of their ratio.
    assert column.scenarios[0].mean.u_common["meter"] == pytest.approx(60 * math.hypot(3, 3) / math.sqrt(3))
    assert comparison.u_common["meter"] < 0.001
    assert {"meter", "resolution"} <= set(comparison.u_common)


def test_what_rests_on_the_meter_is_told_where_powers_differ(results):
    (column,) = compare_runs([make_scattered(results, 1, a=around(90), b=around(180))]).columns
    (note,) = column.notes
    assert "draw 90 W and 180 W; were the errors of the meter at these powers unrelated" in note
    (column,) = compare_runs([make_scattered(results, 2, a=around(90), b=around(91))]).columns
    assert column.notes == ()


def test_an_undeclared_accuracy_is_told(results):
    path = make_scattered(results, 1, a=around(84), b=around(90))
    for folder in scenario_folders(path):
        change_manifest(folder.path, sources=(replace(PLUG, accuracy=()),))
    comparison, _ = only(compare_runs([path]))
    assert comparison.unknown == ("meter",)
    assert "not known, not in it: meter" in details(comparison)


def test_what_cannot_be_used_is_left_out_and_told(results):
    path = make_scattered(results, 1, a=around(84, 4), b=around(90, 4))
    states = (State.DONE, State.FAILED, State.DONE, State.DONE)
    folder = prepare_run(path, 3)[2]
    with_powers(folder, around(84, 4), Recipe(states=states, parameters=(("model", "c"),)))
    (column,) = compare_runs([path]).columns
    assert [scenario.mean.n for scenario in column.scenarios] == [4, 4, 3]
    assert column.scenarios[2].left_out == ("run_1/group_3, repetition 2: unusable: failed: exit code 1",)
    assert "left out: run_1/group_3, repetition 2: unusable: failed: exit code 1" in column.notes


def test_too_few_repetitions_give_words_instead_of_a_number(results):
    report = compare_runs([make_scattered(results, 1, a=around(84, 2), b=around(90, 5))])
    comparison, words = only(report)
    assert comparison.ratio is None
    assert words == "a against b: no comparison: a has 2 usable repetitions, and 3 of each are needed"
    assert not report.has_numbers
    assert details(comparison) == ""


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"host": "another"}, "machine: host (lab, another)"),
        ({"machine": {"cpu": "faster", "gpus": []}}, "machine: cpu (a processor, faster)"),
        ({"sources": (replace(PLUG, accuracy=(AccuracyBand(plus_minus_w=1),)),)}, "meter: accuracy ("),
        ({"sources": (replace(PLUG, kind="shelly"),)}, "meter: kind (replay, shelly)"),
        ({"data": {"index_sha256": "abc"}}, "data: index_sha256 (none, abc)"),
    ],
)
def test_unlike_runs_are_refused_unless_that_is_accepted(results, changes, what):
    path = make_scattered(results, 1, a=around(84), b=around(90))
    change_manifest(path / "group_2", **changes)
    with pytest.raises(UsageError) as refused:
        compare_runs([path])
    assert what in str(refused.value)
    assert "--accept-differences" in str(refused.value)
    report = compare_runs([path], accept_differences=True)
    assert report.has_numbers
    assert what in report.accepted_differences[0]


def test_two_meters_do_not_cancel(results):
    path = make_scattered(results, 1, a=around(90), b=around(90))
    change_manifest(path / "group_2", host="another")
    comparison, _ = only(compare_runs([path], accept_differences=True))
    assert comparison.u_common["meter"] == pytest.approx(math.sqrt(2) * math.hypot(3, 3) / math.sqrt(3) / 50, rel=0.02)


def test_other_differences_are_remarks(results):
    path = make_scattered(results, 1, a=around(84), b=around(90))
    manifest = read_manifest(RunFolder(path / "group_2").manifest)
    protocol = manifest.protocol.model_copy(update={"min_window_s": 5.0})
    change_manifest(path / "group_2", versions={"terrawatt": "0.2.0"}, protocol=protocol, data={"path": "elsewhere"})
    report = compare_runs([path])
    assert "the runs differ in versions: terrawatt (0.1.0, 0.2.0)" in report.notes
    assert "the runs differ in protocol: min_window_s (0.0, 5.0)" in report.notes


def test_other_columns_are_families_of_their_own(results):
    path = make_scattered(results, 1, a=around(84), b=around(90))
    report = compare_runs([path], ["Energy gross (plug)", "CPU"])
    assert [column.column for column in report.columns] == ["Energy gross (plug)", "CPU"]
    assert report.columns[0].verdicts[0].words.startswith("a uses ")
    assert report.columns[0].verdicts[0].comparison.ratio == pytest.approx(84 / 90, rel=0.02)
    assert "meter" in report.columns[0].scenarios[0].mean.u_common
    assert report.columns[1].scenarios[0].mean.u_common == {}
    assert "scatters: nothing to judge by" in report.columns[1].verdicts[0].words


@pytest.mark.parametrize("name", ["Energy (plugg)", "Verdict", "u Energy (plug)", "Model"])
def test_a_column_that_was_not_measured_is_wrong_usage(results, name):
    with pytest.raises(UsageError, match="nothing that was measured is called so"):
        compare_runs([make_scattered(results, 1, a=around(84), b=around(90))], [name])


def test_one_scenario_alone_is_wrong_usage(results):
    with pytest.raises(UsageError, match="nothing to compare it with"):
        compare_runs([make_scattered(results, 1, a=around(84))])


def test_a_run_that_ended_by_its_interval_has_a_wider_one(results):
    path = make_scattered(results, 1, a=around(84), b=around(90))
    plain = compare_runs([path]).columns[0].scenarios[0].mean
    manifest = read_manifest(RunFolder(path / "group_1").manifest)
    change_manifest(path / "group_1", protocol=manifest.protocol.model_copy(update={"until_ci_percent": 2.0}))
    (column,) = compare_runs([path]).columns
    assert column.scenarios[0].mean.half_width > plain.half_width
    assert "with a wider interval: a" in column.notes[-1]


def test_json_holds_all_of_it(results):
    report = compare_runs([make_scattered(results, 1, a=around(84), b=around(90, 2))])
    content = json.loads(report.as_json())
    (column,) = content["columns"]
    assert content["format_version"] == 1
    assert column["verdicts"][0]["words"] == report.columns[0].verdicts[0].words
    assert column["verdicts"][0]["comparison"]["ratio"] is None
    assert column["scenarios"][0]["mean"]["n"] == 10


def test_words_of_other_quantities(results):
    report = compare_runs([make_scattered(results, 1, a=around(84), b=around(90))])
    comparison, _ = only(report)
    assert verdict(comparison, "Duration").startswith("a takes 1")
    assert " less than b" in verdict(comparison, "Duration")
    assert " less Recall than b" in verdict(comparison, "Recall")
    assert " less Energy train (plug) than b" in verdict(comparison, "Energy train (plug)")
    assert verdict(replace(comparison, ratio=1.1, low=1.05, high=1.15), "Emissions") == (
        "a causes 10.0 % ± 5.0 % more than b (95 % interval 5.0 to 15.0 %)"
    )


def test_percents_go_to_the_place_of_the_smallest():
    assert percents(12.34, 3.21) == ["12.3", "3.2"]
    assert percents(12.34, 32.1) == ["12", "32"]
    assert percents(-3.4, 3.31, signed=True) == ["-3.4", "+3.3"]
    assert percents(0.0, 0.012) == ["0.00", "0.01"]


def test_of_the_idle_level_only_what_repetitions_share_counts(results):
    path = make_scattered(results, 1, a=around(90), b=around(90))
    for folder in scenario_folders(path):
        with SqliteStore(folder.telemetry) as store:
            idle_w = 40 + RNG.normal(size=COLD_S)
            store.write(Sample(PLUG.series, T0 + t * S, float(w)) for t, w in enumerate(idle_w, start=1))
    whole = [
        part.u_j for row in gather([path]).rows for part in row.energies["plug"].net.budget if part.name == "baseline"
    ]
    (column,) = compare_runs([path]).columns
    shared = column.scenarios[0].mean.u_common["baseline"]
    assert 0 < shared < min(whole[:10])
    relative = [scenario.mean.u_common["baseline"] / scenario.mean.mean for scenario in column.scenarios]
    assert column.verdicts[0].comparison.u_common["baseline"] == pytest.approx(math.hypot(*relative), rel=0.01)
