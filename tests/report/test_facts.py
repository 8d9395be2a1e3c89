from collections.abc import Callable
from dataclasses import replace

import pytest

from terrawatt.records import AccuracyBand, Semantics
from terrawatt.report import facts
from terrawatt.report.content import RunFacts
from terrawatt.report.facts import Fact, Facts

MakeRun = Callable[..., RunFacts]


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ((), "not stated"),
        ((AccuracyBand(300, 3.0), AccuracyBand(None, 0, 1.0)), "± 3 W below 300 W; ± 1 % of the reading above"),
        ((AccuracyBand(None, 0.5, 2.0),), "± 0.5 W + 2 % of the reading"),
        ((AccuracyBand(),), "± 0 W"),
    ],
)
def test_accuracy_in_words(bands: tuple[AccuracyBand, ...], expected: str) -> None:
    assert facts.accuracy_in_words(bands) == expected


def test_each_meter_is_told_once_with_its_semantics(make_run: MakeRun) -> None:
    plug, estimate = facts.meters([make_run("run_1"), make_run("run_2")])
    assert (plug.name, plug.is_estimate) == ("plug", False)
    assert Fact("Semantics", "mean: each reading is the mean power of the interval before it") in plug.facts
    assert Fact("Note", "behind the UPS") in plug.facts
    assert estimate.is_estimate


def test_a_calibrated_meter_says_how_late_it_is(make_run: MakeRun) -> None:
    run = make_run()
    late = replace(run.sources[0], latency_s=1.234, u_latency_s=0.051)
    (meter,) = facts.meters([make_run(sources=(late,))])
    assert Fact("Late by", "1.23 ± 0.10 s (± U, k = 2), calibrated and corrected") in meter.facts


@pytest.mark.parametrize("semantics", Semantics)
def test_every_semantics_has_words(semantics: Semantics) -> None:
    assert facts.SEMANTICS_IN_WORDS[semantics]


def test_what_runs_share_is_told_once_and_differences_name_their_runs(make_run: MakeRun) -> None:
    same = [make_run("run_1"), make_run("run_2")]
    (machine,) = facts.machines(same)
    assert machine.about == ""
    assert machine.facts == (
        Fact("host", "lab-3"),
        Fact("cpu · model", "Xeon"),
        Fact("cpu · cores", "10"),
        Fact("gpu", "unknown"),
    )
    other = make_run("run_3", machine={"host": "lab-4"})
    assert [found.about for found in facts.machines([*same, other])] == ["run_1, run_2", "run_3"]


def test_sizes_in_bytes_are_told_in_gibibytes(make_run: MakeRun) -> None:
    (machine,) = facts.machines([make_run(machine={"memory_bytes": 3 * 2**29, "usable_threads": 2})])
    assert machine.facts == (Fact("memory", "1.5 GiB"), Fact("usable threads", "2"))


def test_many_runs_are_not_all_named(make_run: MakeRun) -> None:
    runs = [make_run(f"run_{i}") for i in range(9)]
    found = facts.machines([*runs, make_run("odd", machine={})])
    assert found[0].about == "run_0, run_1, run_2, run_3, run_4, run_5 and 3 more"


def test_settings_list_each_value_once(make_run: MakeRun) -> None:
    runs = [make_run(scenario={"model": model, "lr": 0.001, "count": True}) for model in ("a", "b", "a")]
    assert facts.settings(runs) == (Fact("model", "a, b"), Fact("lr", "0.001"), Fact("count", "yes"))


def test_remarks_and_trials_only_where_there_are_any(make_run: MakeRun) -> None:
    assert facts.notes([make_run(notes=())]) == ()
    assert facts.notes([make_run()]) == (Facts("", (Fact("", "temp: no sensor"),)),)
    good = make_run("run_2", protocol={"cold_s": 300.0, "idle_after_s": 120.0, "repetitions": 10})
    assert facts.trials([good]) == ()
    assert [found.about for found in facts.trials([make_run("run_1"), good])] == ["run_1"]


def test_without_runs_there_is_nothing_to_tell() -> None:
    assert facts.machines([]) == ()
    assert facts.meters([]) == ()


def test_the_limits_of_repetitions_are_told_only_where_an_interval_ended_the_run(make_run: MakeRun) -> None:
    limits = {"min_repetitions": 10, "max_repetitions": 50, "repetitions": 3}
    (fixed,) = facts.protocols([make_run("run_1", protocol={"until_ci_percent": 0, **limits})])
    assert [fact.name for fact in fixed.facts] == ["Repetitions"]
    (until,) = facts.protocols([make_run("run_1", protocol={"until_ci_percent": 2, **limits})])
    assert [fact.name for fact in until.facts] == [
        "Repeated until known to ± (%)",
        "Repetitions at least",
        "Repetitions at most",
    ]
