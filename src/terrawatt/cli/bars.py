"""Progress of work of known length: how far, how fast, how much longer."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LINE_EVERY_S = 10


@contextmanager
def progress_bar(what: str, total: int, unit: str = "patches") -> Iterator[Callable[[int], None]]:
    """A bar on stderr where there is a terminal, else a line now and then; yields what to call with the number done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(what, total, unit, lambda text: print_line(console.file, text))
        return
    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(done: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, rate=f"{speed:,.0f} {unit}/s" if speed else "")

        yield advance


class Lines:
    """Says how far the work is, at most every ten seconds; called with the number done so far.

    The rate counts from the first call on: what was there before the work began does not make it faster.
    """

    def __init__(
        self,
        what: str,
        total: int,
        unit: str,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._words = what, total, unit
        self._say = say
        self._clock = clock
        self._begin: tuple[float, int] | None = None
        self._said_s = clock()

    def __call__(self, done: int) -> None:
        """Note the number done so far."""
        now_s = self._clock()
        if self._begin is None:
            self._begin = now_s, done
        if now_s - self._said_s < _LINE_EVERY_S:
            return
        self._said_s = now_s
        what, total, unit = self._words
        rate = (done - self._begin[1]) / (now_s - self._begin[0]) if now_s > self._begin[0] else 0.0
        left = f", {rate:,.0f} {unit}/s, {_duration((total - done) / rate)} left" if rate else ""
        self._say(f"{what}: {done:,} of {total:,} {unit}{left}")


def print_line(file: object, text: str) -> None:
    """One line, seen at once."""
    print(text, file=file, flush=True)  # type: ignore[call-overload]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
