"""Settings: `terrawatt.toml` and the environment become one validated object.

The file is the one given with `--config`, or the first `terrawatt.toml` found upward from the working folder. Each key
is also a variable `TERRAWATT_SECTION__KEY`, which wins over the file. Unknown keys are refused with the near names.
Relative paths in the file start from its folder; those of the environment, from the working folder.
"""

import math
import os
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from terrawatt.credentials import source_variable, store_variable
from terrawatt.errors import ConfigError, did_you_mean
from terrawatt.records import AccuracyBand, MeterError, Order, Semantics

FILE_NAME = "terrawatt.toml"
SECRETS = ("user", "password", "token")  # never in the file
EXTERNAL = "external"  # of sampling.interval_s, and the kind of a source whose series somebody else writes
ENVIRONMENT_PREFIX = "TERRAWATT_"
LONGEST_INTERVAL_S = 3600


class Section(BaseModel):
    """A table of the file: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ExperimentSettings(Section):
    """`[experiment]`: what the experiment is called and where its runs go."""

    name: str = Field(default="conso-classif-deep", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    results: Path = Path("results")
    lock: Path | None = None  # the machine's lock file; default: in the temporary folder
    authors: tuple[str, ...] = ()  # for archives: "Ada Lovelace", or "Ada Lovelace <https://orcid.org/...>"
    license: str = ""  # likewise: its URL or its terms; empty: not known


class DataSettings(Section):
    """`[data]`: the pack that `train` and `run` read when `--data` is not given."""

    pack: Path | None = None


class ProtocolSettings(Section):
    """`[protocol]`: idle, warm-up, repetitions (docs/protocol.md)."""

    cold_s: float = Field(default=180.0, ge=0)
    latency_s: float = Field(default=0.0, ge=0)  # left out at the end of the cold period
    idle_after_s: float = Field(default=120.0, ge=0)
    warmup: int = Field(default=1, ge=0)
    repetitions: int = Field(default=10, ge=1)
    min_window_s: float = Field(default=0.0, ge=0)
    pause_s: float = Field(default=0.0, ge=0)
    until_ci_percent: float = Field(default=0.0, ge=0, lt=100)  # above 0: repeat until the interval is so narrow
    min_repetitions: int = Field(default=10, ge=5)  # with until_ci_percent, instead of `repetitions`
    max_repetitions: int = Field(default=50, ge=5)
    order: Order = Order.BLOCKS  # of several scenarios (docs/plan-and-run-a-sweep.md)
    order_seed: int | None = Field(default=None, ge=0)  # of the random order; None: drawn, and written to plan.json

    @property
    def planned_repetitions(self) -> int:
        """How many repetitions there are; with `until_ci_percent`, at most."""
        return self.max_repetitions if self.until_ci_percent else self.repetitions


class StoreSettings(Section):
    """`[store]`: where series are kept.

    `sqlite`: in the run folder only. `influxdb://HOST:PORT/DATABASE` (`influxdbs://` over TLS): there too. User and
    token are secrets like the password: from the environment, or a file that only its owner can read (`credentials`).
    """

    url: str = Field(default="sqlite", pattern=r"^(sqlite|influxdbs?://[^/@\s]+/[^/@\s]+)$")
    user: SecretStr | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    user_file: Path | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None  # the certificates of an authority of one's own
    timeout_s: float = Field(default=10.0, gt=0)


class SamplingSettings(Section):
    """`[sampling]`: which host series are recorded, and how often.

    `interval_s = "external"`: by somebody else, as Telegraf, into the database that `store.url` names.
    """

    interval_s: float | Literal["external"] = 1.0
    host: tuple[str, ...] = ("cpu", "mem", "temp", "diskio")
    temp_sensor: str = "coretemp_package_id_0"
    disk: str = ""  # empty: the disk that holds the results
    host_name: str = ""  # the value of tag `host`; empty: this machine's name; external: that of the only one there

    @field_validator("interval_s", mode="before")
    @classmethod
    def _seconds_or_external(cls, interval_s: Any) -> Any:
        """One complaint, where a union would make two."""
        try:
            good = interval_s == EXTERNAL or 0 < float(interval_s) <= LONGEST_INTERVAL_S
        except (TypeError, ValueError):
            good = False
        if not good:
            raise ValueError(f"give seconds above 0, up to {LONGEST_INTERVAL_S}, or '{EXTERNAL}'")
        return interval_s

    @property
    def is_external(self) -> bool:
        """Whether somebody else writes the series."""
        return self.interval_s == EXTERNAL

    @property
    def own_interval_s(self) -> float:
        """How often terrawatt itself reads.

        Raises:
            ConfigError: it does not.
        """
        if isinstance(self.interval_s, str):
            raise ConfigError("sampling.interval_s: 'external' leaves reading to others; here a number of s is needed")
        return self.interval_s


class SourceSettings(BaseModel):
    """One of `[[sources]]`. Further keys belong to its kind, which checks them (`power.registry`)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")
    kind: str
    semantics: Semantics | None = None
    accuracy: tuple[AccuracyBand, ...] | None = None
    resolution_w: float | None = Field(default=None, ge=0)
    error: MeterError = MeterError.UNKNOWN
    timing_s: float | None = Field(default=None, ge=0)
    wrap_j: float | None = Field(default=None, gt=0)
    same_as: str = ""  # the name of another source that is the same device, read by other means

    @property
    def options(self) -> Mapping[str, Any]:
        """The keys of its kind."""
        return self.model_extra or {}


def _with_names_of_their_own(sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
    """See that sources can be told apart, and that those that another one names are there."""
    names = [source.name for source in sources]
    if len(set(names)) < len(names):
        raise ValueError(f"each source needs a name of its own, not {', '.join(names)}")
    for source in sources:
        others = [name for name in names if name != source.name]
        if source.same_as and source.same_as not in others:
            raise ValueError(f"{source.name}: same_as names another source, of {', '.join(others) or 'none'}")
    return sources


class HostSettings(Section):
    """`[hosts.NAME]`: what one machine has of its own; `[[hosts.NAME.sources]]` stand for `[[sources]]` there."""

    sources: tuple[SourceSettings, ...] = Field(min_length=1)

    _names_differ = field_validator("sources")(_with_names_of_their_own)


class EmissionsSettings(Section):
    """`[emissions]`: CodeCarbon's offline tracker, and the carbon intensity for what the sources measure."""

    enabled: bool = True
    country: str = Field(default="FRA", pattern=r"^[A-Z]{3}$")
    interval_s: float = Field(default=1.0, gt=0)
    intensity: float | str = ""  # g CO2eq/kWh, or a CSV file; empty: what CodeCarbon takes for the country
    intensity_uncertainty_percent: float | None = Field(default=None, ge=0)  # standard; None: docs/table.md

    @field_validator("intensity")
    @classmethod
    def _number_or_file(cls, intensity: float | str) -> float | str:
        try:
            number = float(intensity)
        except ValueError:
            return intensity
        if not 0 <= number < math.inf:
            raise ValueError("a carbon intensity is at least 0 g/kWh")
        return number


class Settings(BaseSettings):
    """All settings, validated; see `load`."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    experiment: ExperimentSettings = ExperimentSettings()
    data: DataSettings = DataSettings()
    protocol: ProtocolSettings = ProtocolSettings()
    store: StoreSettings = StoreSettings()
    sampling: SamplingSettings = SamplingSettings()
    sources: tuple[SourceSettings, ...] = (SourceSettings(name="estimate", kind="estimate"),)
    emissions: EmissionsSettings = EmissionsSettings()
    hosts: Mapping[str, HostSettings] = Field(default_factory=dict)

    _names_differ = field_validator("sources")(_with_names_of_their_own)

    @model_validator(mode="after")
    def _external_is_consistent(self) -> Self:
        """Series of others are read from a database, and are all that is read."""
        every = [*self.sources, *(source for host in self.hosts.values() for source in host.sources)]
        others = [source.name for source in every if (source.kind == EXTERNAL) != self.sampling.is_external]
        if self.sampling.is_external and self.store.url == "sqlite":
            raise ValueError("sampling.interval_s is 'external', so store.url must name the database that is read")
        if self.sampling.is_external and "sources" not in self.model_fields_set:
            raise ValueError(
                "sampling.interval_s is 'external': name the meter's series in [[sources]], kind 'external'"
            )
        if self.sampling.is_external and others:
            raise ValueError(
                f"sampling.interval_s is 'external', but the source {others[0]!r} is not of kind 'external'"
            )
        if others:
            raise ValueError(
                f"the source {others[0]!r} is of kind 'external', which needs sampling.interval_s = 'external'"
            )
        return self

    def host_of(self, name: str) -> HostSettings | None:
        """What a machine has of its own, by its name with or without its domain; None: nothing."""
        return self.hosts.get(name) or self.hosts.get(name.partition(".")[0])

    def on_host(self, name: str) -> "Settings":
        """The settings as they are on a machine."""
        host = self.host_of(name)
        return self if host is None else self.model_copy(update={"sources": host.sources})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose values arrive as arguments; nothing else is read."""
        return env_settings, init_settings


def load(path: Path | None = None, start: Path | None = None) -> Settings:
    """The settings in force on this machine.

    Args:
        path: the file given with `--config`; it must exist.
        start: where the search upward for `terrawatt.toml` begins; default: the working folder.

    Raises:
        ConfigError: the file cannot be read, or a key or value is wrong; names the file or variable and the key.
    """
    file = path if path is not None else find(start or Path.cwd())
    values = _anchored(_read(file), file.parent) if file is not None else {}
    _refuse_secrets(values, file)
    try:
        return Settings(**values).on_host(socket.gethostname())
    except ValidationError as error:
        raise ConfigError(_explain(error, file)) from error


def find(start: Path) -> Path | None:
    """The first `terrawatt.toml` in `start` or a folder above it."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from error


def _anchored(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The values with their relative paths, counted from the file's folder, made relative to the working folder."""
    start = Path(os.path.relpath(folder))
    experiment = values.setdefault("experiment", {})
    if isinstance(experiment, dict):
        experiment.setdefault("results", str(ExperimentSettings().results))
    paths = [(experiment, "results"), (experiment, "lock"), (values.get("data"), "pack")]
    paths += [(values.get("emissions"), "intensity")]
    of_secrets = [f"{name}_file" for name in (*SECRETS, "ca")]
    paths += [(values.get("store"), key) for key in of_secrets]
    for source in _sources(values).values():
        paths += [(source, key) for key in ("file", *of_secrets)]
    for table, key in paths:
        if isinstance(table, dict) and isinstance(table.get(key), str) and table[key]:
            table[key] = str(start / table[key])
    return values


def _sources(values: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of all sources, those of hosts too, by their place: `sources.0`, `hosts.node1.sources.0`."""
    hosts = values.get("hosts")
    lists = {"sources": values.get("sources")}
    for name, host in hosts.items() if isinstance(hosts, dict) else ():
        lists[f"hosts.{name}.sources"] = host.get("sources") if isinstance(host, dict) else None
    return {
        f"{place}.{i}": table for place, some in lists.items() if isinstance(some, list) for i, table in enumerate(some)
    }


def _refuse_secrets(values: Mapping[str, Any], file: Path | None) -> None:
    """Secrets in the settings' file would be copied with it."""
    tables = {"store": values.get("store"), **_sources(values)}
    for place, table in tables.items():
        if not isinstance(table, dict):
            continue
        for name in set(SECRETS) & set(table):
            raise ConfigError(
                f"{file}: {place}.{name}: secrets do not belong here; set {_variable(place, name, table)}, or "
                f"{name}_file to a file that only you can read"
            )


def _variable(place: str, name: str, table: Mapping[str, Any]) -> str:
    if place == "store":
        return store_variable(name)
    return source_variable(str(table.get("name", "NAME")), name)


def _explain(error: ValidationError, file: Path | None) -> str:
    """The first complaint as one line: where, which key, what is wrong, what would be right."""
    detail = error.errors()[0]
    location = [part for part in detail["loc"] if part != "function-after"]
    key = ".".join(str(part) for part in location)
    variable = ENVIRONMENT_PREFIX + "__".join(str(part).upper() for part in location)
    where = f"environment variable {variable}" if variable in os.environ else str(file or "settings")
    if detail["type"] == "extra_forbidden":
        return f"{where}: unknown key {key!r}.{_known(str(location[-1]), location[:-1])}"
    message = detail["msg"].removeprefix("Value error, ")
    if not location:  # of all settings together: what was given holds secrets, and is never shown
        return f"{where}: {message}"
    return f"{where}: {key}: {message} (given: {detail['input']!r})"


def _known(name: str, location: list[Any]) -> str:
    """A hint at the keys that a table has; none for tables inside `[[sources]]`, whose keys vary."""
    fields: Mapping[str, Any] = Settings.model_fields
    for part in location:
        annotation = fields[part].annotation if part in fields else None
        fields = annotation.model_fields if isinstance(annotation, type) and issubclass(annotation, BaseModel) else {}
    return did_you_mean(name, list(fields)) if fields else ""
