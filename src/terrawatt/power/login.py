"""The user and password of a source: from the environment, or from files that only their owner can read."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from terrawatt.config import SourceSettings
from terrawatt.credentials import secret, source_variable


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name and password."""

    user: str
    password: SecretStr


def login(
    settings: SourceSettings, user_file: Path | None, password_file: Path | None, usual_user: str = "admin"
) -> Login | None:
    """Who reads a source; None where no password is given.

    Raises:
        ConfigError: a file cannot be read, is empty, or can be read by others.
    """
    password = source_secret(settings, "password", password_file)
    if password is None:
        return None
    user = source_secret(settings, "user", user_file)
    return Login(user.get_secret_value() if user else usual_user, password)


def source_secret(settings: SourceSettings, name: str, file: Path | None) -> SecretStr | None:
    """One secret of a source: `TERRAWATT_SOURCE_<NAME>_<SECRET>`, else the file; None where there is neither.

    Raises:
        ConfigError: the file cannot be read, is empty, or can be read by others.
    """
    return secret(f"{name} of sources[{settings.name}]", source_variable(settings.name, name), file)
