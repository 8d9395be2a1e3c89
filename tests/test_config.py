from pathlib import Path

import pytest

from terrawatt import config
from terrawatt.errors import ConfigError
from terrawatt.records import AccuracyBand, Semantics

DESIGNED = """
[experiment]
name = "conso-classif-deep"
results = "results"

[protocol]
cold_s = 180
warmup = 1
repetitions = 10

[sampling]
interval_s = 1.0
host = ["cpu", "mem", "temp", "diskio"]
temp_sensor = "coretemp_package_id_0"
disk = "nvme0n1"

[[sources]]
name = "plug"
kind = "replay"
file = "plug.csv"
semantics = "mean"
accuracy = [{ below_w = 300, plus_minus_w = 3.0 }, { plus_minus_percent = 1.0 }]
resolution_w = 0.1

[emissions]
country = "FRA"
"""


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "terrawatt.toml"


def test_defaults_are_those_of_the_protocol(tmp_path: Path) -> None:
    settings = config.load(start=tmp_path)
    assert (settings.protocol.cold_s, settings.protocol.warmup, settings.protocol.repetitions) == (180.0, 1, 10)
    assert [source.kind for source in settings.sources] == ["estimate"]


def test_a_whole_file_is_read(toml: Path) -> None:
    toml.write_text(DESIGNED)
    settings = config.load(toml)
    source = settings.sources[0]
    assert settings.sampling.disk == "nvme0n1"
    assert source.semantics is Semantics.MEAN
    assert source.accuracy == (AccuracyBand(below_w=300, plus_minus_w=3.0), AccuracyBand(plus_minus_percent=1.0))
    assert Path(source.options["file"]).resolve() == (toml.parent / "plug.csv").resolve()


def test_the_file_is_found_upward(toml: Path) -> None:
    toml.write_text("[protocol]\nrepetitions = 3\n")
    below = toml.parent / "a" / "b"
    below.mkdir(parents=True)
    assert config.load(start=below).protocol.repetitions == 3


def test_paths_of_the_file_start_from_its_folder(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text(f"[data]\npack = 'pack'\n[experiment]\nlock = '{toml.parent / 'lock'}'\n")
    below = toml.parent / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    settings = config.load()
    assert settings.data.pack == Path("../pack")
    assert settings.experiment.results == Path("../results")
    assert settings.experiment.lock == toml.parent / "lock"


def test_paths_of_the_environment_start_from_the_working_folder(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text("[data]\npack = 'pack'\n")
    monkeypatch.setenv("TERRAWATT_DATA__PACK", "other")
    assert config.load(toml).data.pack == Path("other")


def test_the_environment_wins_key_by_key(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text("[protocol]\nrepetitions = 3\ncold_s = 7\n")
    monkeypatch.setenv("TERRAWATT_PROTOCOL__REPETITIONS", "5")
    settings = config.load(toml)
    assert (settings.protocol.repetitions, settings.protocol.cold_s) == (5, 7.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[protocol]\ncol_s = 3\n", r"terrawatt\.toml: unknown key 'protocol\.col_s'\. Did you mean cold_s\?"),
        ("[protcol]\ncold_s = 3\n", r"unknown key 'protcol'\. Did you mean protocol\?"),
        ("[protocol]\nrepetitions = 0\n", r"protocol\.repetitions: .*greater than or equal to 1 \(given: 0\)"),
        ("[experiment]\nname = '../up'\n", r"experiment\.name: "),
        ("[protocol\n", r"terrawatt\.toml: not valid TOML: .*line 1"),
        ("[[sources]]\nname='a'\nkind='x'\naccuracy=[{belw_w=3}]\n", r"sources\.0\.accuracy\.0\.belw_w"),
        ("[[sources]]\nname='a'\nkind='x'\n[[sources]]\nname='a'\nkind='y'\n", "name of its own, not a, a"),
    ],
)
def test_wrong_settings_are_refused_by_name(toml: Path, text: str, message: str) -> None:
    toml.write_text(text)
    with pytest.raises(ConfigError, match=message):
        config.load(toml)


def test_a_wrong_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERRAWATT_PROTOCOL__COLD_S", "soon")
    with pytest.raises(ConfigError, match=r"environment variable TERRAWATT_PROTOCOL__COLD_S: .*'soon'"):
        config.load(start=tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read"):
        config.load(tmp_path / "absent.toml")


def test_a_carbon_intensity_is_a_number_or_a_file_beside_the_settings(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml.write_text("[emissions]\nintensity = 56\n")
    assert config.load(toml).emissions.intensity == 56.0
    toml.write_text('[emissions]\nintensity = "grid.csv"\n')
    assert Path(str(config.load(toml).emissions.intensity)).absolute().resolve() == toml.parent / "grid.csv"
    toml.write_text('[emissions]\nintensity = ""\n')
    assert config.load(toml).emissions.intensity == ""
    toml.write_text("[emissions]\nintensity = -1\n")
    with pytest.raises(ConfigError, match=r"emissions\.intensity: .*at least 0"):
        config.load(toml)
    toml.write_text("")
    monkeypatch.setenv("TERRAWATT_EMISSIONS__INTENSITY", "33.5")
    assert config.load(toml).emissions.intensity == 33.5


def test_two_sources_of_one_device(toml: Path) -> None:
    plug = '[[sources]]\nname = "plug"\nkind = "replay"\n'
    counter = '[[sources]]\nname = "counter"\nkind = "replay"\nsame_as = "{}"\n'
    toml.write_text(plug + counter.format("plug"))
    assert [source.same_as for source in config.load(toml).sources] == ["", "plug"]
    for wrong in ("plugg", "counter"):
        toml.write_text(plug + counter.format(wrong))
        with pytest.raises(ConfigError, match="counter: same_as names another source, of plug"):
            config.load(toml)


EXTERNAL = """
[store]
url = "influxdb://127.0.0.1:8086/telegraf"
[sampling]
interval_s = "external"
[[sources]]
name = "plug"
kind = "external"
measurement = "mqtt_consumer"
"""


def load_text(tmp_path: Path, text: str) -> config.Settings:
    file = tmp_path / "terrawatt.toml"
    file.write_text(text)
    return config.load(file)


def test_somebody_else_may_write_the_series(tmp_path: Path) -> None:
    settings = load_text(tmp_path, EXTERNAL)
    assert settings.sampling.is_external
    with pytest.raises(ConfigError, match="'external' leaves reading to others"):
        settings.sampling.own_interval_s  # noqa: B018


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"influxdb://127.0.0.1:8086/telegraf"', '"sqlite"', r"so store\.url must name the database"),
        ('interval_s = "external"', "interval_s = 10", "'plug' is of kind 'external', which needs"),
        ('kind = "external"', 'kind = "replay"', "'plug' is not of kind 'external'"),
        ('[[sources]]\nname = "plug"\nkind = "external"\nmeasurement = "mqtt_consumer"\n', "", r"in \[\[sources\]\]"),
        ('interval_s = "external"', 'interval_s = "extern"', r"sampling\.interval_s: give seconds above 0, .*'extern'"),
    ],
)
def test_what_contradicts_it_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in EXTERNAL
    with pytest.raises(ConfigError, match=message) as caught:
        load_text(tmp_path, EXTERNAL.replace(old, new))
    assert "\n" not in str(caught.value)


def test_a_complaint_about_all_settings_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", "never-shown")
    with pytest.raises(ConfigError) as caught:
        load_text(tmp_path, EXTERNAL.replace('kind = "external"', 'kind = "replay"'))
    assert "never-shown" not in str(caught.value)


HOSTS = """
[[sources]]
name = "plug"
kind = "replay"
file = "plug.csv"

[[hosts."node 1".sources]]
name = "own plug"
kind = "replay"
file = "own.csv"
"""


def test_a_machine_has_meters_of_its_own(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text(HOSTS)
    assert [source.name for source in config.load(toml).sources] == ["plug"]
    monkeypatch.setattr("socket.gethostname", lambda: "node 1.cluster.example")
    (source,) = config.load(toml).sources
    assert source.name == "own plug"
    assert Path(source.options["file"]).resolve() == (toml.parent / "own.csv").resolve()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hosts.node1]\nsources = []", "hosts.node1.sources: "),
        ("[hosts.node1]\nplug = 1", "hosts.node1"),
        (
            '[[hosts.n.sources]]\nname = "a"\nkind = "estimate"\ntoken = "abc"',
            "hosts.n.sources.0.token: secrets do not",
        ),
        ('[[hosts.n.sources]]\nname = "a"\nkind = "external"', "the source 'a' is of kind 'external'"),
        ('[[hosts.n.sources]]\nname = "a"\nkind = "estimate"\nsame_as = "b"', "a: same_as names another source"),
    ],
)
def test_wrong_meters_of_a_machine_are_refused(toml: Path, text: str, message: str) -> None:
    toml.write_text(text)
    with pytest.raises(ConfigError) as refused:
        config.load(toml)
    assert message in str(refused.value)
    assert "abc" not in str(refused.value)
