import io
from dataclasses import replace
from pathlib import Path

import pytest

from beats import BEAT
from terrawatt.experiment.progress import Lines, Snapshot
from terrawatt.experiment.progress_file import ProgressFile
from terrawatt.experiment.protocol import Step, StepKind

WHOLE = replace(BEAT, repetitions=4, done=0, failed=0)
SNAPSHOT = Snapshot(
    scenario=1,
    scenarios=1,
    title="model s-cnn-all",
    step=Step(StepKind.REPETITION, 1),
    steps_of_kind=4,
    elapsed_s=1,
    epoch=None,
    epochs=None,
    source="plug",
    power_w=None,
    energy_j=0.0,
    left_s=None,
)


def seen(done: int, failed: int = 0) -> Snapshot:
    return replace(SNAPSHOT, sweep=replace(WHOLE, done=done, failed=failed))


def test_each_repetition_that_ended_is_counted_once(tmp_path: Path) -> None:
    path, shown = tmp_path / "progress.txt", io.StringIO()
    with ProgressFile(Lines(shown), path) as progress:
        progress.show(SNAPSHOT)  # where the whole run stands is not known
        assert not path.exists()
        for done, failed in ((0, 0), (0, 0), (1, 0), (1, 0), (2, 1), (2, 1)):
            progress.show(seen(done, failed))
        progress.say("a line")
        assert path.read_text() == "count_total=4\n1\n2\n"
    assert path.read_text() == "count_total=4\n1\n2\nfinished\n"
    assert shown.getvalue() == "a line\n"


def test_a_run_that_breaks_off_is_not_finished(tmp_path: Path) -> None:
    path = tmp_path / "progress.txt"

    def carry_out() -> None:
        with ProgressFile(Lines(io.StringIO()), path) as progress:
            progress.show(seen(1))
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        carry_out()
    assert path.read_text() == "count_total=4\n1\n"


def test_a_run_that_shows_nothing_leaves_no_file(tmp_path: Path) -> None:
    with ProgressFile(Lines(io.StringIO()), tmp_path / "progress.txt"):
        pass
    assert not list(tmp_path.iterdir())
