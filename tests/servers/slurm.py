"""A real Slurm of one node: Debian's munged, slurmctld and slurmd, with a folder and ports of their own.

    with Slurm() as slurm:
        number = slurm.call("sbatch", "--parsable", "--wrap", "true").strip()
        slurm.wait(number)
        assert slurm.states()[number] == "COMPLETED"

Its partition gives a whole node to each job. Programs find it by the environment `slurm.environment`. There is no
accounting, so `sacct` knows nothing; how jobs ended stands in the file of completed jobs.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from servers.programs import free_port, require_program

_HOW = "apt-get install slurm-wlm munge"
_READY_TIMEOUT_S = 60.0
_POLL_S = 0.05

_CONFIG = """\
ClusterName=terrawatt
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=10
MinJobAge=300
MaxArraySize=4
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed.txt
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=EXCLUSIVE
"""


class Slurm:
    """A cluster of this machine alone; a context manager that starts and ends it.

    Attributes:
        folder: its files; gone when it has ended. Its path is short, since sockets lie in it.
        environment: of programs that shall find it.
    """

    def __init__(self) -> None:
        """Prepare."""
        programs = ("munged", "slurmctld", "slurmd")
        self._programs = {name: require_program(name, _HOW) for name in programs}
        self._started: list[subprocess.Popen[bytes]] = []
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self._host = socket.gethostname().partition(".")[0]
        self.environment: Mapping[str, str] = os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def __enter__(self) -> Self:
        """Start it, and wait until its node takes jobs."""
        try:
            self._configure()
            folder = self.folder
            files = {"key-file": "munge.key", "pid-file": "munged.pid", "log-file": "munged.log", "seed-file": "seed"}
            options = [f"--{option}={folder / file}" for option, file in files.items()]
            self._start("munged", "--foreground", "--force", f"--socket={folder}/munge.sock", *options)
            self._await(lambda: (folder / "munge.sock").exists(), "munged")
            self._start("slurmctld", "-D", "-f", str(folder / "slurm.conf"))
            self._start("slurmd", "-D", "-f", str(folder / "slurm.conf"), "-N", self._host)
            self._await(lambda: self._ask("sinfo", "-h", "-o", "%t").strip() == "idle", "slurmd")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancel what is queued or runs, and end it."""
        try:
            if len(self._started) == len(self._programs):
                self._ask("scancel", "--user", pwd.getpwuid(os.getuid()).pw_name)
                self._await(lambda: not self.states(), "scancel")
        finally:
            for process in reversed(self._started):
                process.terminate()
                process.wait(_READY_TIMEOUT_S)
            shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, *command: str) -> str:
        """What one of its programs prints; it must succeed."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=_READY_TIMEOUT_S
        ).stdout

    def states(self) -> dict[str, str]:
        """Job -> state, of those that are queued or run."""
        lines = self._ask("squeue", "-h", "-a", "-r", "-o", "%i %T").splitlines()
        return dict(tuple(line.split(maxsplit=1)) for line in lines)  # type: ignore[misc]

    def completed(self) -> dict[str, str]:
        """Job -> how it ended: COMPLETED, FAILED, CANCELLED …"""
        ended = {}
        path = self.folder / "completed.txt"
        for line in path.read_text().splitlines() if path.exists() else []:
            fields = dict(part.split("=", 1) for part in line.split() if "=" in part)
            ended[fields["JobId"]] = fields["JobState"]
        return ended

    def logs(self) -> str:
        """What its programs say, for messages."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def _configure(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(64))
        (self.folder / "slurm.conf").write_text(
            _CONFIG.format(
                host=self._host,
                controller_port=free_port(),
                node_port=free_port(),
                user=pwd.getpwuid(os.getuid()).pw_name,
                folder=self.folder,
                cpus=os.cpu_count(),
            )
        )

    def _start(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.out.log").open("ab") as log:
            self._started.append(
                subprocess.Popen(
                    [self._programs[program], *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.environment,
                    start_new_session=True,
                )
            )

    def _ask(self, *command: str) -> str:
        """What a program prints, whether it succeeds or not."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=_READY_TIMEOUT_S
        ).stdout

    def _await(self, is_so: Callable[[], bool], what: str) -> None:
        end_s = time.monotonic() + _READY_TIMEOUT_S
        while not is_so():
            assert all(process.poll() is None for process in self._started), f"ended: {self.logs()}"
            assert time.monotonic() < end_s, f"{what} is not ready: {self.logs()}"
            time.sleep(_POLL_S)
