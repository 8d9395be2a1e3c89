"""The sampler's two pipes: its stdin, which closes when it is to end, and its stdout, on which it speaks."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from terrawatt.telemetry.messages import Message, encode


@contextmanager
def message_pipe() -> Iterator[BinaryIO]:
    """The pipe to the runner; from now on, what anybody prints goes to the log instead."""
    with os.fdopen(os.dup(1), "wb", buffering=0) as pipe:
        os.dup2(2, 1)
        yield pipe


def say(pipe: BinaryIO, message: Message) -> None:
    """Tell the runner something; nothing happens when it is gone, which stdin says too."""
    with suppress(BrokenPipeError):
        pipe.write(encode(message))


def goes_on(timeout_s: float) -> bool:
    """Wait, at most until stdin closes; False when it has."""
    stdin = sys.stdin.fileno()
    readable, _, _ = select.select([stdin], [], [], timeout_s)
    return not readable or bool(os.read(stdin, 4096))
