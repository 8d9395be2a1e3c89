"""A small process that cleans up after a runner that was killed.

`kill -9` gives a runner no chance to end its workload. The guard reads the process group of the workload from the
runner's pipe; when that pipe closes, the runner is gone: the group is killed and the scratch folder removed.
"""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

_END_TIMEOUT_S = 5.0


class Guard:
    """The guard seen from the runner; a context manager."""

    def __init__(self, scratch: Path) -> None:
        """Prepare; `scratch` is removed when the runner is gone."""
        self._scratch = scratch

    def __enter__(self) -> Self:
        # -P: modules lie in the installed packages, never in the folder where the user happens to be.
        # A session of its own: Ctrl-C in the terminal must not end it before the workload.
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-m", "terrawatt.experiment.guard", str(self._scratch)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._stdin = cast("IO[bytes]", self._process.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            self._stdin.close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def watch(self, group: int) -> None:
        """Kill this process group when the runner is gone; 0: none. A guard that has died is not noticed."""
        with suppress(BrokenPipeError):
            self._stdin.write(b"%d\n" % group)
            self._stdin.flush()


def main(scratch: Path) -> None:
    """Read process groups until the runner is gone; then kill the last one and remove the scratch folder."""
    group = 0
    for line in sys.stdin:
        group = int(line)
    if group:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
