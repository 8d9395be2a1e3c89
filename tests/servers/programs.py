"""The programs that tests need and pip does not bring; a line says how to get one that is missing."""

import os
import shutil
import socket
from pathlib import Path

import pytest

# Debian puts servers where the PATH of a plain user does not look.
SERVER_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def require_program(name: str, how_to_get: str) -> Path:
    """Where the program lies; without it the test is skipped, and with CI=true it fails.

    Args:
        name: what to look for in PATH and the folders of servers.
        how_to_get: the command that installs it: `apt-get install mosquitto`.
    """
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *SERVER_FOLDERS)))
    if found is not None:
        return Path(found)
    lacking = f"{name} is not installed; get it with: {how_to_get} (or, as root on Debian: scripts/install-servers.sh)"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(lacking, pytrace=False)
    pytest.skip(lacking)


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
