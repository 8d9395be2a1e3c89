"""`terrawatt power simulate`, in this process and as a process of its own."""

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from servers.mosquitto import Mosquitto
from terrawatt.cli import app
from terrawatt.config import SourceSettings
from terrawatt.power import registry
from terrawatt.power.simulator.protocols import PROTOCOLS
from terrawatt.power.simulator.truth import read_truth

DOCS = Path(__file__).parents[2] / "docs/simulate.md"


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main(["power", "simulate", *arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def entry(printed: str) -> SourceSettings:
    toml = printed[printed.index("\n[[sources]]\n") :].strip().split("\n\n")[0].split("```")[0]
    [source] = tomllib.loads(toml)["sources"]
    return SourceSettings(**source)


def test_it_says_how_it_is_read_and_what_it_drew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = tmp_path / "truth.csv"
    arguments = ("--protocol", "http-shelly", "--port", "0", "--profile", "constant:50", "--truth", str(truth))
    code, out, err = call(*arguments, "--interval", "0.05", "--duration", "0.5", "--loss", "1", capsys=capsys)
    assert (code, err) == (0, "")
    source = entry(out)
    assert (source.kind, source.options["url"][:17]) == ("shelly", "http://127.0.0.1:")
    assert "draws constant:50; readings: instantaneous, every 0.05 s" in out
    assert "0 doubled; 0 messages or answers sent" in out
    drawn = read_truth(truth)
    assert drawn.energy_j[-1] == pytest.approx(50 * (drawn.t_ns[-1] - drawn.t_ns[0]) / 1e9)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_and_its_truth_is_there(tmp_path: Path, end: signal.Signals) -> None:
    truth = tmp_path / "truth.csv"
    with Mosquitto(tmp_path) as broker:
        command = [sys.executable, "-m", "terrawatt", "power", "simulate", "--protocol", "zwave"]
        where = ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--interval", "0.05", "--truth", str(truth)]
        plug = subprocess.Popen([*command, *where], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert plug.stdout is not None
        while plug.stdout.readline() != "Ctrl-C ends it.\n":
            assert plug.poll() is None
        plug.send_signal(end)
        out, err = plug.communicate(timeout=60)
    assert read_truth(truth).t_ns[-1] > 0
    if end is not signal.SIGKILL:
        assert (plug.returncode, err) == (0, "")
        assert "truth.csv has it by time" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--protocol", "zwafe"), "--protocol zwafe: there is none of that name. Did you mean zwave"),
        (("--protocol", "plain", "--profile", "constant"), "write constant:W, steps:SECONDS@W"),
        (("--protocol", "plain", "--interval", "0"), "--interval 0: above 0"),
        (("--protocol", "plain", "--resolution", "-1"), "--resolution -1: at least 0"),
        (("--protocol", "plain", "--loss", "1.5"), "--loss 1.5: a share from 0 to 1"),
        (("--protocol", "plain", "--seed", "-1"), "--seed -1: at least 0"),
        (("--protocol", "plain", "--semantics", "counter"), "--semantics counter: give instantaneous, mean or on-ch"),
        (("--protocol", "plain", "--name", "a/b"), "--name 'a/b': a word"),
        (("--protocol", "plain", "--broker", "127.0.0.1"), "--broker: write mqtt://HOST:PORT"),
        (("--protocol", "plain", "--busy-file", "a", "--busy-while", "b"), "one of them says when the profile plays"),
        ((), "Missing option"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_leaves_nothing(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*arguments, capsys=capsys)
    assert (code, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_a_truth_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "truth.csv").write_text("old")
    arguments = ("--protocol", "http-shelly", "--truth", str(tmp_path / "truth.csv"))
    assert call(*arguments, capsys=capsys)[0] == 2
    assert (tmp_path / "truth.csv").read_text() == "old"


def test_the_page_names_every_protocol_and_its_entry_is_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    listed = call("--protocol", "list", capsys=capsys)[1]
    for protocol in PROTOCOLS:
        assert f"`{protocol}`" in text
        assert protocol in listed
    shown = entry(text)
    source = registry.create(shown, "lab")
    assert [description.name for description in source.descriptions] == ["simulated", "simulated counter"]
