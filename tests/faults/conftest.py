from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.lab import Lab
from servers.mosquitto import Mosquitto


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    made.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running
