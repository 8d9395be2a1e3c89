import json

import pytest

from terrawatt.records import SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.summary.gather import gather
from terrawatt.summary.record import read_record
from terrawatt.summary.summarise import summarise
from terrawatt.summary.sweep import sweep_facts, sweep_record


def write_history(run, repetition, epochs):
    path = RunFolder(run).output_of(repetition, "training.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"history": epochs}))


@pytest.fixture
def run(make_run):
    made = make_run(3)
    for repetition in (1, 2):
        epochs = [{"epoch": e, "train_loss": 1 / e + repetition, "validation_macro_f1": None} for e in (1, 2)]
        write_history(made, repetition, epochs)
    return made


def test_each_repetition_has_its_place_in_time(run):
    gathered = gather([run], accept_changes=True)
    marks = sweep_record(gathered).marks
    assert [mark.repetition for mark in marks] == gathered.table.frame["Repetition"].tolist()
    assert marks[0].start_s == 0
    starts = [mark.start_s for mark in marks]
    assert starts == sorted(starts)
    assert [mark.duration_s for mark in marks] == pytest.approx(gathered.table.frame["Duration"].tolist())
    assert {mark.temperature_c for mark in marks} == {None}  # this machine has no sensor


def test_the_temperature_is_the_mean_over_the_window(make_run):
    key = SeriesKey.of("temp", "temp", host="lab", sensor="cpu")
    made = make_run(6, extra=((key, lambda _t, is_busy: 70.0 if is_busy else 30.0),), host_series=(("temp", key),))
    assert {mark.temperature_c for mark in sweep_record(gather([made])).marks} == {70.0}


def test_trainings_are_told_by_epoch_over_the_repetitions(run):
    curves = {curve.quantity: curve for curve in sweep_record(gather([run], accept_changes=True)).trainings}
    assert set(curves) == {"train_loss"}  # no value of the other quantities
    assert [(p.epoch, p.n, p.mean) for p in curves["train_loss"].points] == [(1, 2, 2.5), (2, 2, 2.0)]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"history": 5}', '{"history": [3]}', '{"history": [{"train_loss": "x"}]}']
)
def test_a_history_that_cannot_be_read_is_none(make_run, text):
    made = make_run(4)
    for repetition in (1, 2, 3):
        RunFolder(made).output_of(repetition, "training.json").write_text(text)
    assert sweep_record(gather([made], accept_changes=True)).trainings == ()


def test_it_is_in_the_record_and_comes_back_with_idle_levels_and_budgets(run, tmp_path):
    result = summarise([run], tmp_path / "out", figures=False, accept_changes=True)
    record = read_record(result.files.json)
    assert record.sweep == sweep_record(gather([run], accept_changes=True))
    facts = sweep_facts(record.sweep, record.repetitions, record.runs)
    assert facts.source == "plug"
    energy = facts.energies[record.repetitions[0].key]
    assert energy.baseline_w > 0
    assert "meter" in energy.budget_j
    assert sweep_facts(None, (), ()).energies == {}
