"""The options of `terrawatt power simulate`: what the plug draws, how it reads, what goes wrong, where it tells it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrawatt.cli.options import parse_integer, parse_number
from terrawatt.errors import UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from terrawatt.power.simulator.meter import MeterFaults, MeterSettings
    from terrawatt.power.simulator.speaker import Speaker
    from terrawatt.power.simulator.truth import Triggered, TruePower

_DRAWS, _READS, _WRONG, _TELLS = "What it draws", "How it reads", "What goes wrong", "Where it tells it"


def _number(name: str, metavar: str, text: str, panel: str) -> Any:
    return typer.Option(name, metavar=metavar, parser=parse_number, help=text, rich_help_panel=panel)


def _file(name: str, text: str, panel: str = _TELLS) -> Any:
    return typer.Option(name, metavar="FILE", dir_okay=False, help=text, rich_help_panel=panel)


@dataclass(frozen=True, slots=True)
class PowerOptions:
    """What it draws, and for how long."""

    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            help="constant:W, steps:S@W,S@W…, training:IDLE-BUSY, or a CSV file with t_s and power_w.",
            rich_help_panel=_DRAWS,
        ),
    ] = "training:40-160"
    busy_file: Annotated[Path | None, _file("--busy-file", "The profile plays only while it exists.", _DRAWS)] = None
    busy_while: Annotated[
        str | None,
        typer.Option(
            "--busy-while",
            metavar="COMMAND",
            help="The profile plays only while this command runs here, e.g. 'sleep 60'.",
            rich_help_panel=_DRAWS,
        ),
    ] = None
    idle: Annotated[float, _number("--idle", "W", "With --busy-…: its power otherwise.", _DRAWS)] = 40.0
    noise: Annotated[float, _number("--noise", "W", "Standard deviation of its noise.", _DRAWS)] = 0.0
    duration: Annotated[
        float | None, _number("--duration", "SECONDS", "How long it is there; default: until Ctrl-C.", _DRAWS)
    ] = None
    truth: Annotated[Path, _file("--truth", "Where the true energy is written.", _DRAWS)] = Path("truth.csv")
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", parser=parse_integer, help="Of chance.", rich_help_panel=_DRAWS)
    ] = 0

    def power(self, start_ns: int) -> "tuple[TruePower, Triggered | None]":
        """The power from a moment on; and what is switched in it, if anything.

        Raises:
            UsageError: the profile is none, two triggers are given, or the file of the truth exists.
            SourceError: the profile's file cannot be used.
        """
        from terrawatt.power.simulator.profile import parse_profile
        from terrawatt.power.simulator.triggers import BusyCommand, BusyFile
        from terrawatt.power.simulator.truth import Noisy, Scheduled, Triggered

        if self.truth.exists():
            raise UsageError(f"--truth {self.truth}: it exists; name another file, so that no truth is lost")
        for option, value in {"--seed": self.seed, "--noise": self.noise}.items():
            if value < 0:
                raise UsageError(f"{option} {value:g}: at least 0")
        profile = parse_profile(self.profile, self.idle, self.seed)
        if self.busy_file is not None and self.busy_while is not None:
            raise UsageError("--busy-file and --busy-while: one of them says when the profile plays")
        switched = None
        if self.busy_file is not None:
            switched = Triggered(self.idle, profile, BusyFile(self.busy_file), start_ns)
        elif self.busy_while is not None:
            switched = Triggered(self.idle, profile, BusyCommand(self.busy_while), start_ns)
        power = switched or Scheduled(profile, start_ns)
        return (Noisy(power, self.noise, self.seed) if self.noise else power), switched


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How it reads."""

    semantics: Annotated[
        str | None,
        typer.Option(
            "--semantics",
            metavar="instantaneous|mean|on-change",
            help="What a reading is; default: as the protocol's plugs have it.",
            rich_help_panel=_READS,
        ),
    ] = None
    interval: Annotated[float, _number("--interval", "SECONDS", "Between readings (on change: looks).", _READS)] = 1.0
    jitter: Annotated[float, _number("--jitter", "SECONDS", "Their greatest deviation.", _READS)] = 0.0
    threshold: Annotated[float, _number("--threshold", "W", "On change: the least that is told.", _READS)] = 1.0
    heartbeat: Annotated[
        float | None, _number("--heartbeat", "SECONDS", "On change: told again after so long.", _READS)
    ] = None
    resolution: Annotated[float, _number("--resolution", "W", "The step of its power.", _READS)] = 0.1
    counter_resolution: Annotated[
        float | None, _number("--counter-resolution", "J", "The step of its counter; default: the protocol's.", _READS)
    ] = None
    wrap: Annotated[float | None, _number("--wrap", "J", "Its counter begins again at 0 there.", _READS)] = None
    clock_offset: Annotated[float, _number("--clock-offset", "SECONDS", "Its clock minus this one.", _READS)] = 0.0

    def meter(self, protocol: str, faults: "FaultOptions", seed: int) -> "MeterSettings":
        """The meter.

        Raises:
            UsageError: a value is out of its range.
        """
        import math

        from terrawatt.power.simulator.meter import MeterSettings
        from terrawatt.power.simulator.protocols import counter_step_j, semantics_of

        positive = {"--interval": self.interval, "--wrap": self.wrap, "--heartbeat": self.heartbeat}
        for option, value in positive.items():
            if value is not None and value <= 0:
                raise UsageError(f"{option} {value:g}: above 0")
        step_j = counter_step_j(protocol) if self.counter_resolution is None else self.counter_resolution
        for option, value in {
            "--jitter": self.jitter,
            "--threshold": self.threshold,
            "--resolution": self.resolution,
            "--counter-resolution": step_j,
        }.items():
            if value < 0:
                raise UsageError(f"{option} {value:g}: at least 0")
        return MeterSettings(
            semantics=_semantics(self.semantics) if self.semantics else semantics_of(protocol),
            interval_s=self.interval,
            jitter_s=self.jitter,
            loss=faults.share("--loss", faults.loss),
            duplicates=faults.share("--duplicates", faults.duplicates),
            late_s=faults.late,
            clock_offset_s=self.clock_offset,
            resolution_w=self.resolution,
            counter_resolution_j=step_j,
            threshold_w=self.threshold,
            most_silence_s=self.heartbeat or math.inf,
            wrap_j=self.wrap,
            seed=seed,
            faults=faults.after_a_while(),
        )


@dataclass(frozen=True, slots=True)
class FaultOptions:
    """What goes wrong."""

    loss: Annotated[float, _number("--loss", "SHARE", "Of readings, that do not arrive.", _WRONG)] = 0.0
    duplicates: Annotated[float, _number("--duplicates", "SHARE", "Of readings, that arrive twice.", _WRONG)] = 0.0
    late: Annotated[float, _number("--late", "SECONDS", "How long readings are on their way.", _WRONG)] = 0.0
    silent_after: Annotated[float | None, _number("--silent-after", "SECONDS", "It says nothing any more.", _WRONG)] = (
        None
    )
    stuck_after: Annotated[float | None, _number("--stuck-after", "SECONDS", "It says the same for ever.", _WRONG)] = (
        None
    )
    restart_after: Annotated[
        float | None, _number("--restart-after", "SECONDS", "Its counter begins again.", _WRONG)
    ] = None
    clock_jump: Annotated[float, _number("--clock-jump", "SECONDS", "By so much its clock is set.", _WRONG)] = 0.0
    clock_jump_after: Annotated[float, _number("--clock-jump-after", "SECONDS", "With --clock-jump: when.", _WRONG)] = (
        10.0
    )

    def after_a_while(self) -> "MeterFaults":
        """Those that begin some time after its start."""
        from terrawatt.power.simulator.meter import MeterFaults

        jump_after_s = self.clock_jump_after if self.clock_jump else None
        return MeterFaults(self.silent_after, self.stuck_after, self.restart_after, jump_after_s, self.clock_jump)

    @staticmethod
    def share(option: str, value: float) -> float:
        """The value of an option, from 0 to 1.

        Raises:
            UsageError: it is not.
        """
        if not 0 <= value <= 1:
            raise UsageError(f"{option} {value:g}: a share from 0 to 1")
        return value


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Where it tells its readings, and as whom."""

    name: Annotated[str, typer.Option("--name", help="Its name, in topics and variables.", rich_help_panel=_TELLS)] = (
        "simulated"
    )
    broker: Annotated[
        str, typer.Option("--broker", help="mqtt://HOST:PORT or mqtts://HOST:PORT.", rich_help_panel=_TELLS)
    ] = "mqtt://127.0.0.1:1883"
    retained: Annotated[
        bool, typer.Option("--retained", help="The broker keeps each last message.", rich_help_panel=_TELLS)
    ] = False
    user_file: Annotated[Path | None, _file("--user-file", "Holds the user's name for the broker.")] = None
    password_file: Annotated[Path | None, _file("--password-file", "Holds the password for the broker.")] = None
    ca_file: Annotated[Path | None, _file("--ca-file", "The authority of the broker's certificate.")] = None
    port: Annotated[
        int,
        typer.Option("--port", metavar="N", parser=parse_integer, help="Of HTTP; 0: any.", rich_help_panel=_TELLS),
    ] = 8087
    token_file: Annotated[Path | None, _file("--token-file", "Holds the token that readers must show.")] = None

    def speaker(self, protocol: str) -> "Speaker":
        """What tells its readings.

        Raises:
            UsageError: the name or the broker's address is none.
            ConfigError: a file of a secret cannot be used.
        """
        from terrawatt.power.simulator.dialects import DIALECTS
        from terrawatt.power.simulator.publisher import BrokerAccess, MqttSpeaker
        from terrawatt.power.simulator.server import HttpSpeaker

        if not self.name or set(self.name) & set("+#/{} "):
            raise UsageError(f"--name {self.name!r}: a word without /, + and #")
        if protocol not in DIALECTS:
            return HttpSpeaker(protocol, self.port, self._secret("token", self.token_file))
        access = BrokerAccess(
            self.broker,
            self._secret("user", self.user_file),
            self._secret("password", self.password_file),
            self.ca_file,
        )
        return MqttSpeaker(access, DIALECTS[protocol], self.name, is_retained=self.retained)

    def _secret(self, what: str, file: Path | None) -> "SecretStr | None":
        from terrawatt.credentials import secret, source_variable

        return secret(f"{what} of the plug {self.name}", source_variable(self.name, what), file)


def _semantics(word: str) -> Any:
    from terrawatt.records import Semantics

    if word not in tuple(Semantics) or word == Semantics.COUNTER:
        raise UsageError(f"--semantics {word}: give instantaneous, mean or on-change")
    return Semantics(word)
