"""`terrawatt power list`."""

import json
from pathlib import Path

import pytest

from servers.meter import MeterServer, Reply
from terrawatt.cli.app import main

SHELLY = Reply(json.dumps({"apower": 8.9, "aenergy": {"total": 6.532}}).encode())
TOML = """
[sampling]
host_name = "lab"

[[sources]]
name = "plug"
kind = "shelly"
url = "{url}"
accuracy = [{{ below_w = 300, plus_minus_w = 3.0 }}, {{ plus_minus_percent = 1.0 }}]
resolution_w = 0.1
wrap_j = 3.6e9

[[sources]]
name = "gone"
kind = "tasmota"
url = "http://127.0.0.1:9"

[[sources]]
name = "wrong"
kind = "shelley"
"""


def listed(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with MeterServer(lambda _: SHELLY) as server:
        (folder / "terrawatt.toml").write_text(TOML.format(url=server.url))
        with pytest.raises(SystemExit) as ended:
            main(["power", "list", "--config", str(folder / "terrawatt.toml"), *arguments])
    assert not ended.value.code
    return capsys.readouterr().out


def test_sources_are_listed_with_what_they_give_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(tmp_path, capsys).splitlines()
    assert lines[0] == "plug: 8.9 W"
    assert lines[1].startswith("  kind shelly, instantaneous, ± 3 W below 300 W; ± 1 % of the reading above, steps of")
    assert lines[2] == "  series power,host=lab,source=plug power_w"
    assert lines[3] == "plug counter: 23.5152 kJ"
    assert "begins again after 3.6 GJ, same device as plug" in lines[4]
    assert "gone: no reading: http://127.0.0.1:9: no connection; is the device on, and is the address right?" in lines
    assert "wrong: cannot be used: there is no kind 'shelley'. Did you mean shelly?" in lines
    counters = lines[lines.index('energy counters of this machine (kind "counters")') + 1 :]
    assert [line.split()[0] for line in counters] == ["rapl", "nvidia", "amd", "apple", "jetson"]


def test_the_list_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(listed(tmp_path, capsys, "--json"))
    plug, counter, gone, _, wrong = found["sources"]
    assert (plug["reading"], plug["unit"], plug["semantics"], plug["resolution_w"]) == (8.9, "W", "instantaneous", 0.1)
    assert (counter["unit"], counter["wrap_j"], counter["same_as"]) == ("J", 3.6e9, "plug")
    assert gone["reading"] is None
    assert "no connection" in gone["reason"]
    assert wrong["reason"].startswith("there is no kind")
    assert {one["device"] for one in found["counters"]} == {"rapl", "nvidia", "amd", "apple", "jetson"}


def test_waiting_takes_some_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["power", "list", "--wait", "0"])
    assert ended.value.code == 2
    assert "--wait 0" in capsys.readouterr().err
