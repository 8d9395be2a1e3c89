import io
import re
from dataclasses import replace

import pytest

from beats import BEAT
from terrawatt.experiment.progress import Lines, Page, Snapshot, choose, facts
from terrawatt.experiment.protocol import Step, StepKind

SNAPSHOT = Snapshot(
    scenario=2,
    scenarios=5,
    title="model s-cnn-all, lr 0.001",
    step=Step(StepKind.REPETITION, 3),
    steps_of_kind=10,
    elapsed_s=75,
    epoch=4,
    epochs=10,
    source="plug",
    power_w=61.23,
    energy_j=4592.0,
    left_s=7500,
)


SWEEP = replace(BEAT, block=3, repetitions=50, done=11, energy_j=55_000.0, left_j=180_000.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_repetition_in_words() -> None:
    assert facts(SNAPSHOT) == [
        ("scenario", "2 of 5: model s-cnn-all, lr 0.001"),
        ("phase", "repetition 3 of 10, 1 min 15 s"),
        ("epoch", "4 of 10 done"),
        ("power", "61.2 W now (plug)"),
        ("energy", "4.59 kJ gross so far in this repetition"),
        ("time left", "2 h 05 min"),
    ]


def test_a_sweep_in_words() -> None:
    found = facts(replace(SNAPSHOT, sweep=SWEEP, blocks=10))
    assert found == [
        ("repetitions", "11 of 50 done, 1 failed, 38 left"),
        ("block", "3 of 10"),
        *facts(SNAPSHOT)[:-1],
        ("so far", "55 kJ gross in the repetitions that ended (plug)"),
        ("left", "about 2 h 05 min, about 180 kJ gross, by the 12 repetitions so far"),
    ]
    assert "block" not in dict(facts(replace(SNAPSHOT, sweep=SWEEP)))


@pytest.mark.parametrize("columns", [80, 120])
def test_the_page_of_a_sweep_fits_a_terminal_with_a_bar(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    title = "model inception-v3-finetune, optim SGD, lr 0.0001, batch 300, epochs 30, precision bf16"
    stream = Terminal()
    with Page(stream) as progress:
        progress.show(replace(SNAPSHOT, sweep=SWEEP, blocks=10, title=title))
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue()).splitlines()
    assert max(map(len, lines)) <= columns
    words = " ".join(" ".join(lines).split())
    assert title in words
    for name, value in facts(replace(SNAPSHOT, sweep=SWEEP, blocks=10)):
        assert name in words
        assert name == "scenario" or value in words
    assert "━" in words


def test_an_idle_period_in_words() -> None:
    cold = replace(SNAPSHOT, step=Step(StepKind.COLD, duration_s=180), epoch=None, power_w=None, left_s=None)
    assert facts(cold)[1:] == [
        ("phase", "cold, 1 min 15 s of 3 min 00 s"),
        ("power", "no reading now (plug)"),
        ("time left", "known after the first execution"),
    ]


def test_epochs_of_an_unknown_number() -> None:
    assert ("epoch", "4 of ? done") in facts(replace(SNAPSHOT, epochs=None))


def test_a_terminal_gets_a_page_and_everything_else_lines() -> None:
    assert isinstance(choose(Terminal()), Page)
    assert isinstance(choose(io.StringIO()), Lines)


def test_lines_are_plain_and_only_what_stays_true() -> None:
    stream = io.StringIO()
    with Lines(stream) as progress:
        progress.say("repetition 1 of 2: [red]12 s")
        progress.show(SNAPSHOT)
    assert stream.getvalue() == "repetition 1 of 2: [red]12 s\n"


def test_a_page_shows_every_fact_and_keeps_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    with Page(stream) as progress:
        progress.say("repetition 2 of 10: [red]12 s")
        progress.show(SNAPSHOT)
    for name, value in facts(SNAPSHOT):
        assert name in stream.getvalue()
        assert value in stream.getvalue()
    assert "[red]12 s" in stream.getvalue()
