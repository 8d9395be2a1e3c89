"""The one tree of errors.

    TerrawattError            exit code 1
    ├── UsageError            exit code 2: an option or argument that cannot be meant
    ├── ConfigError           exit code 2: terrawatt.toml, an environment variable, a parameter file
    ├── DataError             an archive, a patch, a pack
    │   ├── PatchError        one patch: a band, its labels
    │   └── PackError         a pack: format version, checksum, contents
    ├── ModelError            a model or its weights
    ├── TrainingError         a training that cannot start or go on
    ├── StoreError            the series cannot be written or read
    │   ├── StoreUnreachableError   the database does not answer now; later it may
    │   ├── StoreRefusedError       exit code 2: user, password, token, database or certificate are wrong
    │   └── PartialWriteError       some samples were refused for good; the others are written
    ├── SourceError           a power source
    ├── RunFolderError        a run folder that cannot be made or read
    ├── DifferentRunError     a run that cannot go on as it began
    ├── ChangedFilesError     files of a run that are not those that were measured
    ├── ProtocolError         the experiment: lock, sampler, workload
    │   ├── UnusableError     exit code 3: measured, but with verdicts that forbid using the numbers
    │   └── StoppedError      exit code 130: the user ended the run (Ctrl-C, SIGTERM)
    ├── AboveLimitError       exit code 4: a scenario takes more than is allowed
    ├── UndecidedError        exit code 5: the measurements do not say whether it does
    ├── AnalysisError         series or tables that cannot be analysed
    ├── ReportError           a figure or page that cannot be made
    └── ExportError           a summary that another program does not take

Every message says what is wrong, where (file, line, key), and what to do. The command line prints it as one line;
the traceback appears only with `--debug`.
"""

from difflib import get_close_matches


class TerrawattError(Exception):
    """Root of all errors that terrawatt raises on purpose."""

    exit_code = 1


class UsageError(TerrawattError):
    """An option or argument that cannot be meant."""

    exit_code = 2


class ConfigError(TerrawattError):
    """A setting or parameter file that is wrong; the message names file and key."""

    exit_code = 2


class DataError(TerrawattError):
    """An archive, a patch or a pack that cannot be used."""


class PatchError(DataError):
    """One patch with a missing or broken band, or without valid labels."""


class PackError(DataError):
    """A pack of another format version, damaged, or without what is asked of it."""


class ModelError(TerrawattError):
    """A model that does not exist, or weights that are missing or wrong."""


class TrainingError(TerrawattError):
    """A training that cannot start or go on."""


class StoreError(TerrawattError):
    """Series that cannot be written or read."""


class StoreUnreachableError(StoreError):
    """A database that does not answer now; trying again later may help."""


class StoreRefusedError(StoreError):
    """A database that refuses: user, password, token, database or certificate are wrong."""

    exit_code = 2


class PartialWriteError(StoreError):
    """Some samples were refused for good, and the others are written.

    Attributes:
        refused: how many, as far as the database says.
        reasons: why, each once.
    """

    def __init__(self, message: str, refused: int = 0, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.refused = refused
        self.reasons = reasons


class SourceError(TerrawattError):
    """A power source that is unknown, unreachable or wrongly described."""


class RunFolderError(TerrawattError):
    """A run folder that cannot be made, or whose files cannot be read."""


class DifferentRunError(TerrawattError):
    """A run cannot go on as it began: machine, meters, code, data or settings are others.

    Attributes:
        details: what differs, a line each; the command line prints them below the message.
    """

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.details = details


class ChangedFilesError(TerrawattError):
    """Files of a run that were changed or are gone since it was measured."""


class ProtocolError(TerrawattError):
    """The protocol cannot be carried out: lock, sampler, workload."""


class UnusableError(ProtocolError):
    """Measured, but with verdicts that forbid using the numbers."""

    exit_code = 3


class StoppedError(ProtocolError):
    """The user ended the run, by Ctrl-C or a signal; what was measured is kept."""

    exit_code = 130


class AboveLimitError(TerrawattError):
    """A scenario takes more than is allowed, and its interval says so."""

    exit_code = 4


class UndecidedError(TerrawattError):
    """The measurements do not say whether a scenario takes more than is allowed."""

    exit_code = 5


class AnalysisError(TerrawattError):
    """Series or tables that cannot be analysed."""


class ReportError(TerrawattError):
    """A figure or page that cannot be made."""


class ExportError(TerrawattError):
    """A summary that another program does not take: it is not there, or refuses."""


def did_you_mean(name: str, known: list[str] | tuple[str, ...]) -> str:
    """A hint for a mistyped name: the near ones, or all of them.

    Returns:
        `" Did you mean a, b?"` or `" Known: a, b, c."`, with a leading space, to end a message with.
    """
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    return f" Did you mean {', '.join(near)}?" if near else f" Known: {', '.join(known)}."
