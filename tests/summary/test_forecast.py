"""What a sweep takes, by earlier runs with a known truth."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from run_folders import REPETITION_S, RUN_W
from scattered_runs import change_manifest, make_scattered
from terrawatt.analysis.forecast import Origin
from terrawatt.config import ProtocolSettings
from terrawatt.records import Order
from terrawatt.summary.forecast import Forecast, forecast
from terrawatt.summary.forecast_wording import forecast_lines
from terrawatt.summary.past import PastScenario, kind_of, past_scenarios

MODEL = {"model": "s-cnn-all", "batch": 100}
PROTOCOL = ProtocolSettings(repetitions=4, warmup=1, cold_s=100, idle_after_s=20)
PARAMETERS = (("model", "s-cnn-all"), ("batch", 100), ("epochs", 2), ("lr", 0.001), ("seed", 7))


@pytest.fixture
def past(make_run: Callable[..., Path]) -> list[PastScenario]:
    run = make_run(1, parameters=PARAMETERS)
    found, notes = past_scenarios([run], {kind_of(MODEL)}, lambda _: "")
    assert notes == []
    return found


def planned(past: list[PastScenario], epochs: int = 2, count: int = 3, order: Order = Order.BLOCKS) -> Forecast:
    return forecast([({**MODEL, "epochs": epochs}, count)], PROTOCOL, order, past)


def test_what_an_earlier_run_took(past: list[PastScenario]) -> None:
    (one,) = past
    assert [each.duration_s for each in one.executions] == [REPETITION_S] * 3
    assert [each.energy_j for each in one.executions] == pytest.approx([RUN_W * REPETITION_S] * 3, rel=1e-3)
    assert [each.training_s for each in one.executions] == pytest.approx([16, 16, 16])
    assert [each.epochs_done for each in one.executions] == [2, 2, 2]
    assert [each.first_s for each in one.executions] == pytest.approx([8, 8, 8])
    assert one.idle_w == pytest.approx(40, abs=0.1)
    assert one.g_per_kwh == 56.0
    assert one.output_bytes > 1000
    assert one.store_bytes_per_s > 10


@pytest.mark.parametrize(("more", "done"), [((), None), ((("patience", 1),), 2)])
def test_fewer_epochs_than_asked_are_an_early_stop_where_one_may_be(
    make_run: Callable[..., Path], more: tuple[tuple[str, int], ...], done: float | None
) -> None:
    asked = {**dict(PARAMETERS), "epochs": 9, **dict(more)}
    run = make_run(1, parameters=tuple(asked.items()))
    (one,), _ = past_scenarios([run], {kind_of(asked)}, lambda _: "")
    assert [each.epochs_done for each in one.executions] == [done] * 3
    assert [math.isnan(each.first_s) for each in one.executions] == [done is None] * 3
    assert [each.training_s for each in one.executions] == pytest.approx([16, 16, 16])


def test_totals_hold_all_executions_and_the_idle_time(past: list[PastScenario]) -> None:
    found = planned(past)
    executions, idle_s = 3 * 4 * 2, 100 + 11 * 20 + 20
    assert (found.scenarios, found.blocks, found.executions, found.idle_s) == (3, 4, executions, idle_s)
    assert found.duration_s is not None
    assert found.energy_j is not None
    assert found.emissions_kg is not None
    energy_j = executions * RUN_W * REPETITION_S + 40 * idle_s
    assert found.duration_s.value == pytest.approx(executions * REPETITION_S + idle_s)
    assert found.energy_j.value == pytest.approx(energy_j, rel=2e-3)
    assert found.emissions_kg.value == pytest.approx(energy_j / 3.6e6 * 0.056, rel=2e-3)
    assert found.missing == {}
    assert found.disk_bytes is not None


def test_one_after_another_there_is_one_block(past: list[PastScenario]) -> None:
    found = planned(past, order=Order.SEQUENTIAL)
    assert (found.blocks, found.sittings, found.executions) == (1, 3, 3 * 5)
    assert "one after another" in forecast_lines(found)[0]


def test_other_epochs_are_scaled_and_said_to_be(past: list[PastScenario]) -> None:
    found = planned(past, epochs=4)
    (part,) = found.parts
    assert part.cost.origin is Origin.SCALED
    assert part.cost.duration_s is not None
    assert part.cost.duration_s.value == pytest.approx(44 + 2 * 16)
    assert (part.cost.duration_s.low, part.cost.duration_s.high) == (pytest.approx(76), pytest.approx(120))
    assert any("scaled from 2 epochs, 3 executions in run_1" in line for line in forecast_lines(found))


def test_another_batch_or_model_is_not_known(past: list[PastScenario]) -> None:
    kinds = [({**MODEL, "epochs": 2}, 1), ({**MODEL, "batch": 200, "epochs": 2}, 2)]
    found = forecast(kinds, PROTOCOL, Order.BLOCKS, past)
    assert found.unknown == 2
    lines = "\n".join(forecast_lines(found))
    assert "2 x batch 200: not known: it was not measured here" in lines
    assert "without 2 scenarios of which nothing is known" in lines


def test_without_earlier_runs_only_the_size_is_told() -> None:
    found = planned([])
    assert (found.duration_s, found.energy_j, found.emissions_kg, found.disk_bytes) == (None,) * 4
    lines = "\n".join(forecast_lines(found))
    assert "duration, energy, emissions, disk: not known: none of its scenarios was measured here" in lines
    assert "smallest detectable difference: not known: no earlier scenario has 3 usable repetitions" in lines
    assert json.loads(found.as_json())["duration_s"] is None


def test_the_scatter_and_the_idle_level_limit_what_is_found(tmp_path: Path) -> None:
    run = make_scattered(tmp_path / "results", 1, **{"s-cnn-all": (84.0, 85.0, 83.0, 84.5)})
    past, _ = past_scenarios([run], {kind_of({"model": "s-cnn-all"})}, lambda _: "")
    in_blocks, after_another = planned(past).detects, planned(past, order=Order.SEQUENTIAL).detects
    assert in_blocks.n == after_another.n == 4
    assert in_blocks.smallest is not None
    assert in_blocks.careful is not None
    assert after_another.smallest is not None
    assert 0.02 < in_blocks.smallest < in_blocks.careful < 0.2
    assert after_another.smallest > 0.02
    two = forecast([(MODEL, 3)], PROTOCOL.model_copy(update={"repetitions": 2}), Order.BLOCKS, past)
    assert "2 repetitions show no scatter" in forecast_lines(two)[-1]


def test_runs_of_other_machines_are_left_out_with_a_note(make_run: Callable[..., Path]) -> None:
    run = make_run(1, parameters=PARAMETERS)
    found, notes = past_scenarios([run], {kind_of(MODEL)}, lambda manifest: f"they are of {manifest.host}")
    assert found == []
    assert notes == ["1 earlier scenarios are not used: they are of lab"]


def test_a_run_without_a_source_has_durations_only(make_run: Callable[..., Path]) -> None:
    run = make_run(1, parameters=PARAMETERS)
    change_manifest(run, sources=(), checksums={})
    found = planned(past_scenarios([run], {kind_of(MODEL)}, lambda _: "")[0])
    assert found.duration_s is not None
    assert found.energy_j is None
    assert "name a power source" in found.missing["energy"]
    assert math.isnan(past_scenarios([run], {kind_of(MODEL)}, lambda _: "")[0][0].idle_w)
