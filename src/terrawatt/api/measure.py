"""`terrawatt.measure`: a block of one's own program under the protocol."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from terrawatt.analysis.energy import Energy
from terrawatt.api.run import Run, read
from terrawatt.config import Settings, load
from terrawatt.errors import ProtocolError, UsageError
from terrawatt.experiment.block import measured_block
from terrawatt.records import Scalar


class Measured:
    """A block that is being measured, or was."""

    def __init__(self, path: Path) -> None:
        """Begin; `path` is the run's folder."""
        self.path = path
        self._is_over = False
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """The whole run, computed when it is first asked for.

        Raises:
            ProtocolError: the block has not ended yet.
        """
        if not self._is_over:
            raise ProtocolError("the energy is known behind the `with` block: only then are its last readings there")
        if self._run is None:
            self._run = read(self.path)
        return self._run

    @property
    def energy(self) -> Energy:
        """Gross and net energy of the block by the main source, with uncertainties and, where one is missing, why.

        Raises:
            ProtocolError: the block has not ended yet.
            AnalysisError: there is no reading at all.
        """
        return self.run.energy()

    def end(self) -> None:
        """The folder is complete; `measure` calls it."""
        self._is_over = True


def _to_stderr(line: str) -> None:
    print(f"terrawatt: {line}", file=sys.stderr, flush=True)  # noqa: T201  this is the user's own terminal


@contextmanager
def measure(
    parameters: Mapping[str, Scalar] | None = None,
    *,
    cold_s: float | None = None,
    idle_after_s: float | None = None,
    config: Path | None = None,
    folder: Path | None = None,
    say: Callable[[str], None] = _to_stderr,
) -> Iterator[Measured]:
    """Measure a block: idle, the block, idle, with power, host series and emissions recorded by other processes.

    It leaves a run folder as `terrawatt measure` does, of one repetition, which `terrawatt summary` reads. A block that
    raises is a repetition that failed. Repetitions that shall be independent need fresh processes: that is what
    `terrawatt measure -- python script.py` is for.

    Args:
        parameters: of the scenario, for the table; None: the command line of the program.
        cold_s: how long to be idle before, s; None: as the settings say.
        idle_after_s: likewise behind.
        config: the settings' file; None: the `terrawatt.toml` here or in a folder above.
        folder: the run's folder; None: the next one of the results folder.
        say: takes a line for the user.

    Raises:
        ConfigError: the settings are wrong.
        UsageError: cold_s or idle_after_s is below 0.
        ProtocolError: another run holds the machine, the program is measured already, or the sampler does not start.
        RunFolderError: the run's folder cannot be made, or holds a run already.
        StoreError: the database of the settings refuses.
    """
    settings = _with_idle(load(config), cold_s, idle_after_s)
    with measured_block(settings, parameters or {}, say, folder) as run_folder:
        measured = Measured(run_folder.path.absolute())
        yield measured
    measured.end()


def _with_idle(settings: Settings, cold_s: float | None, idle_after_s: float | None) -> Settings:
    given = {"cold_s": cold_s, "idle_after_s": idle_after_s}
    values = settings.protocol.model_dump() | {name: value for name, value in given.items() if value is not None}
    try:
        protocol = type(settings.protocol).model_validate(values)
    except ValidationError as error:
        detail = error.errors()[0]
        raise UsageError(f"{detail['loc'][0]}: {detail['msg']} (given: {detail['input']!r})") from error
    return settings.model_copy(update={"protocol": protocol})
