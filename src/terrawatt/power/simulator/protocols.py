"""All protocols of the simulated plug by name, and the entry of `[[sources]]` that reads each. Pure."""

import json
from collections.abc import Mapping

from terrawatt.errors import UsageError, did_you_mean
from terrawatt.power.simulator.contents import KWH_STEP_J, WH_STEP_J
from terrawatt.power.simulator.dialects import DIALECTS
from terrawatt.power.simulator.server import ANSWERERS, SEMANTICS, SOURCE_OPTIONS
from terrawatt.records import Semantics

PROTOCOLS = (*DIALECTS, *ANSWERERS)
EXACT = "accuracy = [{ plus_minus_w = 0 }]\n"  # a simulated meter errs by its resolution alone


def check_protocol(protocol: str) -> None:
    """Raises UsageError when there is no such protocol."""
    if protocol not in PROTOCOLS:
        raise UsageError(f"--protocol {protocol}: there is none of that name.{did_you_mean(protocol, PROTOCOLS)}")


def semantics_of(protocol: str) -> Semantics:
    """What a reading of its power means, as its documentation has it."""
    return DIALECTS[protocol].semantics if protocol in DIALECTS else SEMANTICS[protocol]


def counter_step_j(protocol: str) -> float:
    """The step of its counter."""
    if protocol in DIALECTS:
        return DIALECTS[protocol].counter_step_j
    return WH_STEP_J if protocol == "http-shelly" else KWH_STEP_J


def source_entry(protocol: str, name: str, address: str, options: Mapping[str, object] | None = None) -> str:
    """The TOML that reads it.

    Args:
        protocol: one of `PROTOCOLS`.
        name: of the plug, and of the source.
        address: URL of the broker, or of the device.
        options: further keys, as `semantics` when it is not the usual one.
    """
    if protocol in DIALECTS:
        keys: dict[str, object] = {"kind": "mqtt", "broker": address, **DIALECTS[protocol].options_of(name)}
    else:
        keys = {**SOURCE_OPTIONS[protocol], "url": address}
    keys = {"name": name, **keys, **(options or {})}
    # JSON's strings, numbers, lists, true and false are TOML too.
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in keys.items()]
    return "".join(["[[sources]]\n", *lines, EXACT])
