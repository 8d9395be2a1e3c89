from collections.abc import Callable

import pytest

from terrawatt.errors import ProtocolError
from terrawatt.experiment.sampling import MAX_FAILED_RESTARTS, SamplerWatch


class Sampler:
    """In place of the sampler's process."""

    def __init__(self) -> None:
        self.alive = True
        self.restarts = 0
        self.broken = False

    def is_alive(self) -> bool:
        return self.alive

    def failure(self) -> str | None:
        return None if self.alive else "killed by signal 9"

    def restart(self) -> None:
        self.restarts += 1
        if self.broken:
            raise ProtocolError("no source answers")
        self.alive = True


@pytest.fixture
def sampler() -> Sampler:
    return Sampler()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watch(sampler: Sampler, said: list[str]) -> SamplerWatch:
    return SamplerWatch(sampler, said.append)  # type: ignore[arg-type]


def test_a_living_sampler_is_left_alone(watch: SamplerWatch, sampler: Sampler, said: list[str]) -> None:
    watch.check()
    watch.settle()
    assert (sampler.restarts, said) == (0, [])


def test_a_crash_is_told_and_mended(watch: SamplerWatch, sampler: Sampler, said: list[str]) -> None:
    for crash in (1, 2):
        sampler.alive = False
        watch.check()
        watch.settle()
        watch.check()
        assert (sampler.alive, sampler.restarts) == (True, crash)
    assert said[0] == "the sampler ended (killed by signal 9) and is started again; the series have a gap"
    assert len(said) == 2


def test_a_sampler_that_never_comes_back_is_an_error(watch: SamplerWatch, sampler: Sampler) -> None:
    sampler.alive, sampler.broken = False, True
    for _ in range(MAX_FAILED_RESTARTS):
        watch.check()
        watch.settle()
    with pytest.raises(ProtocolError, match="cannot be restarted: no source answers"):
        watch.check()


def test_failures_are_forgiven_after_a_success(watch: SamplerWatch, sampler: Sampler) -> None:
    def check_and_settle() -> None:
        watch.check()
        watch.settle()

    def crash(times: int) -> None:
        sampler.alive, sampler.broken = False, True
        for _ in range(times):
            check_and_settle()
        sampler.broken = False
        check_and_settle()

    crashes: list[Callable[[], None]] = [lambda: crash(MAX_FAILED_RESTARTS - 1)] * 3
    for once in crashes:
        once()
        watch.check()
    assert sampler.alive
