"""`terrawatt.phase`: a workload says what it does when, and nothing happens where nobody measures it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from terrawatt.errors import UsageError
from terrawatt.runs.environment import PHASES_VARIABLE

# Those of the protocol (`records.PhaseName`), which are not imported: they would bring numpy with them.
_OF_THE_PROTOCOL = ("cold", "warmup", "repetition", "idle")


@contextmanager
def phase(name: str, epoch: int | None = None) -> Iterator[None]:
    """Mark a block as a phase of a repetition; also a decorator.

    Under `terrawatt run`, `terrawatt measure` or `terrawatt.measure` the phase is recorded in `phases.jsonl` of the
    run folder, with its start and end in ns; a block that raises is not. Else nothing at all happens. Phases may hold
    others, and one name may be used again and again. Those called `train` and `test` have an energy in the table.

    Args:
        name: of the phase.
        epoch: its number, from 1, for phases of an epoch.

    Raises:
        UsageError: the name is empty, or one of the protocol's own.

    >>> import terrawatt
    >>> with terrawatt.phase("load"):
    ...     images = list(range(3))
    >>> @terrawatt.phase("train")
    ... def train(images):
    ...     return sum(images)
    >>> train(images)
    3
    """
    if not name or name in _OF_THE_PROTOCOL:
        raise UsageError(f"phase {name!r}: give a name, and none of the protocol's own: {', '.join(_OF_THE_PROTOCOL)}")
    if not os.environ.get(PHASES_VARIABLE):
        yield
        return
    from terrawatt.runs.reporting import PhaseReporter  # before the phase begins: its import is no part of it

    with PhaseReporter.from_environment().phase(name, epoch, start_ns=time.time_ns()):
        yield
