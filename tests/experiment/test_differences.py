from dataclasses import replace
from pathlib import Path

import pytest

from run_folders import PLUG, Recipe, make_manifest
from terrawatt.experiment.differences import Difference, differences
from terrawatt.records import AccuracyBand, Semantics, SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Change, Manifest

BEGUN = replace(
    make_manifest(RunFolder(Path("run_1/group_1")), Recipe()),
    machine={"cpu": "a processor", "memory_bytes": 1_000_000, "environment": {"OMP_NUM_THREADS": "2"}},
    emissions={"enabled": True, "country": "FRA", "missing": {"1": "no reason"}, "intensity": {"g_per_kwh": 5.0}},
    data={"path": "/pack", "index_sha256": "abc"},
)


def with_source(**changes: object) -> Manifest:
    return replace(BEGUN, sources=(replace(PLUG, **changes),))


def with_protocol(**changes: object) -> Manifest:
    return replace(BEGUN, protocol=BEGUN.protocol.model_copy(update=changes))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (replace(BEGUN, machine={**BEGUN.machine, "cpu": "another"}), "machine.cpu: a processor, now another"),
        (
            replace(BEGUN, machine={**BEGUN.machine, "environment": {}}),
            "machine.environment.OMP_NUM_THREADS: 2, now nothing",
        ),
        (replace(BEGUN, versions={"terrawatt": "0.2"}), "versions.terrawatt: 0.1.0, now 0.2"),
        (
            replace(BEGUN, versions={**BEGUN.versions, "commit": "12+changes"}),
            "versions.commit: nothing, now 12+changes",
        ),
        (replace(BEGUN, data={**BEGUN.data, "index_sha256": "abd"}), "data.index_sha256: abc, now abd"),
        (with_protocol(pause_s=1.0), "protocol.pause_s: 0.0, now 1.0"),
        (replace(BEGUN, sampling_interval_s=2.0), "sampling.interval_s: 1.0, now 2.0"),
        (replace(BEGUN, emissions={**BEGUN.emissions, "country": "DEU"}), "emissions.country: FRA, now DEU"),
        (replace(BEGUN, working_folder="/elsewhere"), "workload.working_folder: nothing, now /elsewhere"),
        (with_source(resolution_w=1.0), "sources.plug.resolution_w: 0.1, now 1.0"),
    ],
)
def test_what_differs_is_named_and_may_be_accepted(now: Manifest, expected: str) -> None:
    (found,) = differences(BEGUN, now)
    assert str(found) == expected
    assert not found.is_fatal


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (with_protocol(repetitions=7), "protocol.repetitions"),
        (with_protocol(order_seed=3), "protocol.order_seed"),
        (with_source(semantics=Semantics.COUNTER), "sources.plug.semantics"),
        (with_source(series=SeriesKey.of("power", "power_w", host="other")), "sources.plug.series"),
        (with_source(scale=1000.0), "sources.plug.scale"),
    ],
)
def test_what_one_run_cannot_hold_is_never_accepted(now: Manifest, what: str) -> None:
    (found,) = differences(BEGUN, now)
    assert (found.what, found.is_fatal) == (what, True)


def test_a_source_that_is_gone_is_never_accepted_and_a_further_one_is() -> None:
    both = (PLUG, replace(PLUG, name="other"))
    assert all(one.is_fatal for one in differences(replace(BEGUN, sources=both), BEGUN))
    assert {one.what.split(".")[1] for one in differences(replace(BEGUN, sources=both), BEGUN)} == {"other"}


def test_a_meter_of_another_accuracy_is_another_meter() -> None:
    (found,) = differences(BEGUN, with_source(accuracy=(AccuracyBand(plus_minus_percent=2.0),)))
    assert found.what == "sources.plug.accuracy"


@pytest.mark.parametrize(
    "now",
    [
        BEGUN,
        with_source(latency_s=1.0, interval_s=2.0, has_device_time=True, note="found out"),
        replace(BEGUN, machine={**BEGUN.machine, "memory_bytes": 1_001_000}),
        replace(BEGUN, emissions={**BEGUN.emissions, "missing": {}, "intensity": {"g_per_kwh": 6.0}}),
        replace(BEGUN, created="later", checksums={"a": "b"}),
    ],
)
def test_what_may_be_another_one_each_time_does_not_count(now: Manifest) -> None:
    assert differences(BEGUN, now) == []


def test_a_single_scenario_knows_no_order() -> None:
    single = replace(BEGUN, group=None)
    assert differences(single, replace(with_protocol(order_seed=3), group=None)) == []


def test_an_accepted_change_is_no_difference_and_going_back_is_one() -> None:
    now = with_protocol(pause_s=1.0)
    (found,) = differences(BEGUN, now)
    assert found.since(3) == Change(3, "protocol.pause_s", "0.0", "1.0")
    changed = replace(BEGUN, changes=(found.since(3),))
    assert differences(changed, now) == []
    assert differences(changed, BEGUN) == [Difference("protocol.pause_s", "1.0", "0.0")]


def test_files_that_were_changed_and_accepted_are_not_compared_again() -> None:
    change = Change(2, "files.group_1/phases.jsonl", "as measured", "changed")
    assert differences(replace(BEGUN, changes=(change,)), BEGUN) == []
