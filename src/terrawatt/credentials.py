"""Secrets: from the environment, or from a file that only its owner can read; never written anywhere.

They travel as pydantic's `SecretStr`, which shows stars wherever it is printed or dumped.
"""

import os
import re
import stat
from pathlib import Path

from pydantic import SecretStr

from terrawatt.errors import ConfigError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def store_variable(name: str) -> str:
    """The variable that holds a secret of the store: `TERRAWATT_STORE__PASSWORD`."""
    return f"TERRAWATT_STORE__{name.upper()}"


def source_variable(source: str, name: str) -> str:
    """The variable that holds a secret of one source: `TERRAWATT_SOURCE_MY_PLUG_PASSWORD` for the source `my plug`."""
    return f"TERRAWATT_SOURCE_{re.sub('[^A-Za-z0-9]', '_', source)}_{name}".upper()


def secret(name: str, variable: str, file: Path | None) -> SecretStr | None:
    """A secret, by its variable, else from its file; None where there is neither.

    Args:
        name: what it is, for messages: `password of sources[plug]`.
        variable: of the environment.
        file: holds it alone, e.g. in one line.

    Raises:
        ConfigError: the file cannot be read, is empty, or can be read by others.
    """
    if os.environ.get(variable):
        return SecretStr(os.environ[variable])
    return None if file is None else SecretStr(_read(name, file))


def _read(name: str, file: Path) -> str:
    try:
        mode = file.stat().st_mode
        if mode & _OTHERS:
            raise ConfigError(
                f"{file}: others can read it (mode {stat.S_IMODE(mode):04o}), so the {name} in it is no secret; "
                f"chmod 600 {file}"
            )
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ConfigError(f"{file}: the {name} cannot be read ({reason})") from error
    if not text:
        raise ConfigError(f"{file}: empty; it must hold the {name}")
    return text
