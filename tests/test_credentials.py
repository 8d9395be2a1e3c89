from pathlib import Path

import pytest

from terrawatt import config
from terrawatt.credentials import secret, source_variable, store_variable
from terrawatt.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("hush\n")
    path.chmod(0o600)
    return path


def test_the_environment_comes_first(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = source_variable("my plug-1", "password")
    assert variable == "TERRAWATT_SOURCE_MY_PLUG_1_PASSWORD"
    assert secret("password", variable, None) is None
    found = secret("password", variable, file)
    assert found is not None
    assert found.get_secret_value() == "hush"
    assert "hush" not in f"{found} {found!r}"
    monkeypatch.setenv(variable, "other")
    found = secret("password", variable, file)
    assert found is not None
    assert found.get_secret_value() == "other"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(ConfigError, match=rf"others can read it \(mode {mode:04o}\).*chmod 600"):
        secret("password", "TERRAWATT_NOTHING", file)


def test_a_file_that_holds_nothing_or_is_not_there_is_refused(file: Path) -> None:
    file.write_text(" \n")
    with pytest.raises(ConfigError, match="empty; it must hold the password"):
        secret("password", "TERRAWATT_NOTHING", file)
    with pytest.raises(ConfigError, match="cannot be read"):
        secret("password", "TERRAWATT_NOTHING", file.with_name("other"))


@pytest.mark.parametrize("name", config.SECRETS)
def test_secrets_in_the_settings_file_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "terrawatt.toml"
    path.write_text(f'[store]\n{name} = "hush"\n')
    with pytest.raises(ConfigError, match=rf"store\.{name}: secrets do not belong here; set {store_variable(name)}"):
        config.load(path)
    path.write_text(f'[[sources]]\nname = "plug"\nkind = "mqtt"\n{name} = "hush"\n')
    with pytest.raises(ConfigError, match=rf"sources\.0\.{name}: .* set TERRAWATT_SOURCE_PLUG_{name.upper()}"):
        config.load(path)


def test_secrets_of_the_store_from_the_environment_show_stars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", "hush")
    store = config.load(start=tmp_path).store
    assert store.password is not None
    assert "hush" not in f"{store!r} {store.model_dump_json()}"
