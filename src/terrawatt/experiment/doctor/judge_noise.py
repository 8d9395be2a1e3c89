"""What else the machine is doing, and what its processors do by themselves. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from terrawatt.analysis.load import IDLE_CPU_PERCENT
from terrawatt.experiment.doctor.finding import Finding, Level

SECTION = "noise"
BUSY_CPU_PERCENT, BUSY_CORES = 20.0, 2.0  # from here on it is no idle machine
SOME_CORES = 0.5  # of a machine with many processors, of which 5 % are several
STEAL_PERCENT = 1.0
LOAD = 1.0  # processes that want to run; the idle machine has fewer than one
SHOWN_PROCESS_CORES = 0.1
SWAP_BYTES = 100e6

_CLOSE = "end other programs, services and updates, and wait until the machine is idle"


@dataclass(frozen=True, slots=True)
class BusyProcess:
    """A process that used the processors while the doctor looked: `cores`, as a mean."""

    name: str
    pid: int
    user: str
    cores: float
    is_of_others: bool


@dataclass(frozen=True, slots=True)
class NoiseFacts:
    """What was seen of the machine for some seconds; None where this machine does not tell.

    Attributes:
        cpus: how many logical processors it has.
        busy_percent: of all processors, without the doctor's own use.
        steal_percent: what a hypervisor took away.
        load_1min: the load average.
        processes: those that used the processors.
        is_virtual: whether a hypervisor runs this machine.
        governors: the processors' frequency governors, each once.
        has_turbo: whether processors may run above their nominal frequency.
        swap_used_bytes: what lies in swap.
        is_swapping: whether pages were swapped while the doctor looked.
    """

    cpus: int
    busy_percent: float | None
    steal_percent: float | None
    load_1min: float | None
    processes: tuple[BusyProcess, ...] = ()
    is_virtual: bool = False
    governors: tuple[str, ...] = ()
    has_turbo: bool | None = None
    swap_used_bytes: float | None = None
    is_swapping: bool | None = None


def judge_noise(facts: NoiseFacts) -> tuple[Finding, ...]:
    """What the facts mean for a measurement that would begin now."""
    judges = (_busy, _load, _others, _virtual, _governor, _turbo, _swap)
    return tuple(finding for judge in judges for finding in judge(facts))


def _finding(name: str, level: Level, what: str, advice: str = "") -> Finding:
    return Finding(SECTION, name, level, what, advice)


def _busy(facts: NoiseFacts) -> Iterator[Finding]:
    if facts.busy_percent is None:
        yield _finding("idle CPU", Level.UNKNOWN, "how busy the processors are is not known here")
        return
    cores = facts.busy_percent / 100 * facts.cpus
    level = Level.GOOD
    if facts.busy_percent > IDLE_CPU_PERCENT or cores >= SOME_CORES:
        level = Level.DOUBTFUL
    if facts.busy_percent > BUSY_CPU_PERCENT or cores >= BUSY_CORES:
        level = Level.BAD
    what = f"{100 - facts.busy_percent:.1f} % idle of {facts.cpus} processors"
    busiest = _names([process for process in facts.processes if process.cores >= SHOWN_PROCESS_CORES])
    advice = "" if level is Level.GOOD else _CLOSE + (f": {busiest}" if busiest else "")
    yield _finding("idle CPU", level, what, advice)


def _load(facts: NoiseFacts) -> Iterator[Finding]:
    if facts.load_1min is None:
        yield _finding("load", Level.UNKNOWN, "the load average is not known here")
        return
    level = Level.DOUBTFUL if facts.load_1min > LOAD else Level.GOOD
    advice = "something has just ended, or waits for a disk; wait some minutes" if level is Level.DOUBTFUL else ""
    yield _finding("load", level, f"{facts.load_1min:.2f} processes wanted to run in the last minute", advice)


def _others(facts: NoiseFacts) -> Iterator[Finding]:
    others = [process for process in facts.processes if process.is_of_others and process.cores >= SHOWN_PROCESS_CORES]
    if not others:
        yield _finding("other users", Level.GOOD, "no program of another user uses the processors")
        return
    cores = sum(process.cores for process in others)
    level = Level.BAD if cores >= 1 else Level.DOUBTFUL
    yield _finding("other users", level, f"programs of others: {_names(others)}", "agree on a time to measure alone")


def _virtual(facts: NoiseFacts) -> Iterator[Finding]:
    if not facts.is_virtual:
        return
    steal = facts.steal_percent or 0.0
    advice = "measure on the machine itself; other guests of its host are noise that is not seen from here"
    if steal > STEAL_PERCENT:
        yield _finding("virtual machine", Level.BAD, f"its host took away {steal:.1f} % of the processors", advice)
    else:
        yield _finding("virtual machine", Level.DOUBTFUL, "this is a virtual machine", advice)


def _governor(facts: NoiseFacts) -> Iterator[Finding]:
    if not facts.governors:
        yield _finding("governor", Level.UNKNOWN, "what steers the processors' frequency is not known here")
    elif facts.governors == ("performance",):
        yield _finding("governor", Level.GOOD, "performance on all processors")
    else:
        what = f"{' and '.join(facts.governors)}: the frequency follows the load"
        advice = "sudo cpupower frequency-set -g performance, or at least the same for all that is compared"
        yield _finding("governor", Level.DOUBTFUL, what, advice)


def _turbo(facts: NoiseFacts) -> Iterator[Finding]:
    if facts.has_turbo is None:
        yield _finding("turbo", Level.UNKNOWN, "whether the processors have turbo is not known here")
    elif facts.has_turbo:
        what = "on: frequency and power depend on how warm the processor is"
        advice = "switch it off (docs/doctor.md), or warm up for long and compare only under the same setting"
        yield _finding("turbo", Level.DOUBTFUL, what, advice)
    else:
        yield _finding("turbo", Level.GOOD, "off")


def _swap(facts: NoiseFacts) -> Iterator[Finding]:
    if facts.swap_used_bytes is None:
        yield _finding("swap", Level.UNKNOWN, "whether memory is swapped out is not known here")
        return
    used = f"{facts.swap_used_bytes / 1e6:.0f} MB in use"
    if facts.is_swapping:
        yield _finding("swap", Level.BAD, f"{used}, and pages are being swapped now", "free memory first")
    elif facts.swap_used_bytes > SWAP_BYTES:
        advice = "free memory, then: sudo swapoff -a && sudo swapon -a"
        yield _finding("swap", Level.DOUBTFUL, used, advice)
    else:
        yield _finding("swap", Level.GOOD, used if facts.swap_used_bytes else "none in use")


def _names(processes: Sequence[BusyProcess]) -> str:
    """The busiest processes with their share of one processor."""
    busiest = sorted(processes, key=lambda process: process.cores, reverse=True)[:3]
    return ", ".join(f"{one.name} ({one.user}, {one.pid}) {100 * one.cores:.0f} %" for one in busiest)
