"""A recorded file played in real time, as a meter that answers with its last reading.

It serves tests, demonstrations, and looking again at another tool's log. Time 0 of the recording is the moment the
source is made.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power.options import Options, describe, parse_options, wrong
from terrawatt.power.recording import Recording, read_recording
from terrawatt.records import Semantics, SourceDescription

AfterEnd = Literal["missing", "hold", "loop"]


class ReplayOptions(Options):
    """`file`: the recording. `after_end`: what comes after its last reading."""

    file: Path
    after_end: AfterEnd = "missing"


class ReplaySource:
    """Plays a recording.

    Its last reading holds for as long as the median of the others; then come none (`missing`), the same one for ever
    (`hold`), or the first again (`loop`; a counter then starts again too, like a meter that was reset).
    """

    def __init__(
        self,
        description: SourceDescription,
        recording: Recording,
        after_end: AfterEnd = "missing",
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.descriptions = (description,)
        self._recording = recording
        self._after_end = after_end
        self._clock_ns = clock_ns
        self._start_ns = clock_ns()
        t_ns = recording.t_ns
        self._length_ns = int(t_ns[-1] + (np.median(np.diff(t_ns)) if len(t_ns) > 1 else 1))

    def read(self) -> tuple[float]:
        """The recorded reading of now, in W or J.

        Raises:
            SourceError: the recording has none here, or has ended.
        """
        played_ns = self._clock_ns() - self._start_ns
        if played_ns >= self._length_ns:
            if self._after_end == "missing":
                raise SourceError("the recording has ended")
            if self._after_end == "loop":
                played_ns %= self._length_ns
        value = float(self._recording.value[np.searchsorted(self._recording.t_ns, played_ns, side="right") - 1])
        if np.isnan(value):
            raise SourceError("the recording has no reading here")
        return (value,)

    def close(self) -> None:
        """Nothing is held."""


def create(settings: SourceSettings, host: str) -> ReplaySource:
    """The source of an entry of kind `replay`.

    Raises:
        SourceError: an option or the file is wrong.
    """
    options = parse_options(ReplayOptions, settings)
    try:
        recording = read_recording(options.file)
    except SourceError as error:
        raise wrong(settings, f"file: {error}") from error
    if recording.is_energy and options.after_end == "hold":
        raise wrong(settings, "after_end: a counter that is held would mean 0 W; choose 'missing' or 'loop'")
    semantics = Semantics.COUNTER if recording.is_energy else Semantics.INSTANTANEOUS
    description = describe(settings, host, semantics, note=f"replayed from {options.file}")
    return ReplaySource(description, recording, options.after_end)
