"""Progress in a file, for a program that started the run: as Qanat reads it in `progress.txt`.

count_total=10     how many repetitions are planned
1                  so many more have ended, well or not
1
finished           the run is over
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from terrawatt.experiment.progress import Progress, Snapshot


class ProgressFile:
    """Shows a run in another way, and beside it counts its repetitions into a file. A run that is stopped stays so."""

    def __init__(self, inner: Progress, path: Path) -> None:
        self._inner, self._path = inner, path
        self._ended: int | None = None  # None: nothing is written yet

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inner.__exit__(kind, error, trace)
        if kind is None and self._ended is not None:
            self._append("finished")

    def say(self, line: str) -> None:
        """Something has happened that stays true."""
        self._inner.say(line)

    def show(self, snapshot: Snapshot) -> None:
        """The state has changed."""
        self._inner.show(snapshot)
        if (whole := snapshot.sweep) is None:
            return
        if self._ended is None:
            self._path.write_text(f"count_total={whole.repetitions}\n", encoding="utf-8")
            self._ended = 0
        if (more := whole.done + whole.failed - self._ended) > 0:
            self._ended += more
            self._append(str(more))

    def _append(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
