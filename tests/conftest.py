"""What all tests share: a process as a user's shell would start it."""

import os
import signal

import pytest
from hypothesis import settings

_REAL_DATA = "TERRAWATT_REAL_DATA"


settings.register_profile("terrawatt", deadline=None)  # no test asserts a time: the machine may be busy
settings.load_profile("terrawatt")


def pytest_configure() -> None:
    """Undo what the caller left ignored: a job in the background has SIGINT ignored, one under nohup SIGHUP.

    Programs that the tests start inherit it, and tests of Ctrl-C would wait for ever.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _without_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of whoever runs the tests do not reach into them."""
    for name in list(os.environ):
        if name.startswith("TERRAWATT_") and name != _REAL_DATA:
            monkeypatch.delenv(name)
