import subprocess
import sys
from pathlib import Path

import pytest

import terrawatt
from terrawatt.cli import app
from terrawatt.errors import UsageError

COMMANDS = [
    "demo",
    "train",
    "run",
    "measure",
    "summary",
    "compare",
    "plan",
    "power list",
    "power read",
    "power calibrate",
    "power simulate",
    "doctor",
    "store info",
    "store export",
    "store import",
    "store forward",
    "data info",
    "data synth",
    "data pack",
    "data verify",
]
ROOT = Path(__file__).parents[2]


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main(list(arguments))
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(*command.split(), "--help", capsys=capsys)
    assert code == 0
    assert f"terrawatt {command}" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    assert any(f"terrawatt {command}" in page.read_text(encoding="utf-8") for page in pages)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--version", capsys=capsys)[:2] == (0, f"terrawatt {terrawatt.__version__}\n")


def test_a_mistyped_option_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call("train", "--modl", "s-cnn-all", capsys=capsys)
    assert code == 2
    assert "--modl" in err


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, terrawatt.cli.app as app\n"
        "try: app.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'pandas', 'pyarrow', 'pydantic', 'altair'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("no such model;\n   try s-cnn-all"), 2, "terrawatt: error: no such model; try s-cnn-all\n"),
        (
            OSError(28, "No space left on device", "/full/pack"),
            1,
            "terrawatt: error: /full/pack: No space left on device\n",
        ),
        (OSError(28, "No space left on device"), 1, "terrawatt: error: No space left on device\n"),
    ],
)
def test_an_error_is_one_line(
    error: Exception, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(app, "app", fail)
    assert call("demo", capsys=capsys) == (code, "", line)


def test_debug_adds_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(**_: object) -> None:
        raise UsageError("wrong")

    monkeypatch.setattr(app, "app", fail)
    assert "Traceback" in call("--debug", "demo", capsys=capsys)[2]
    assert "Traceback" in call("demo", "--debug", capsys=capsys)[2]
    assert "Traceback" not in call("measure", "--", "program", "--debug", capsys=capsys)[2]
