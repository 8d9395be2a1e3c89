"""Settings of one source."""

from collections.abc import Callable
from typing import Any

import pytest

from terrawatt.config import SourceSettings


@pytest.fixture
def entry() -> Callable[..., SourceSettings]:
    """An entry of `[[sources]]`, called `plug` if nothing else is said."""

    def make(kind: str, **keys: Any) -> SourceSettings:
        return SourceSettings.model_validate({"name": "plug", "kind": kind, **keys})

    return make
