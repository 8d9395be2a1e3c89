"""Secrets are in nothing that a run writes, prints or shows to others; and no text of a user becomes HTML."""

import os
from pathlib import Path

import psutil
import pytest

from faults.lab import Lab, eventually, stored
from servers.influxdb import InfluxServer, User
from servers.mosquitto import Mosquitto

PASSWORD, TOKEN, DATABASE_PASSWORD = "broker-Zq8", "assistant-Xw7", "database-Vr6"
USER = "somebody-Ku5"
SECRETS = (PASSWORD, TOKEN, DATABASE_PASSWORD, USER)
MARKUP = "<script>alert('&')</script>"


def private(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.touch(mode=0o600)
    file.write_text(text)
    return file


def secrets_in(text: bytes) -> list[str]:
    return [secret for secret in SECRETS if secret.encode() in text]


def check_files(folder: Path) -> None:
    """Nothing that terrawatt wrote has a secret."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 8
    assert {str(path): found for path in files if (found := secrets_in(path.read_bytes()))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("is_from_files", [False, True])
def test_secrets_are_nowhere_in_what_a_run_and_its_summary_leave(
    lab: Lab, tmp_path: Path, *, is_from_files: bool
) -> None:
    account = User(USER, DATABASE_PASSWORD, {"telegraf": "ALL"})
    with (
        Mosquitto(tmp_path, user=USER, password=PASSWORD) as broker,
        InfluxServer(tmp_path, users=[account]) as database,
    ):
        plug, assistant = lab.plug("zwave", broker), lab.plug("http-homeassistant", token=TOKEN)
        store = f'url = "{database.url()}"\n'
        entries = [plug.entry, assistant.entry]
        if is_from_files:
            (tmp_path / "private").mkdir(mode=0o700)
            user, password, token, key = (
                private(tmp_path / "private", name, text)
                for name, text in (("user", USER), ("password", PASSWORD), ("token", TOKEN), ("key", DATABASE_PASSWORD))
            )
            entries = [
                f'{plug.entry}user_file = "{user}"\npassword_file = "{password}"\n',
                f'{assistant.entry}token_file = "{token}"\n',
            ]
            store += f'user_file = "{user}"\npassword_file = "{key}"\n'
        else:
            lab.environment = {
                "TERRAWATT_SOURCE_ZWAVE_USER": USER,
                "TERRAWATT_SOURCE_ZWAVE_PASSWORD": PASSWORD,
                "TERRAWATT_SOURCE_HTTP_HOMEASSISTANT_TOKEN": TOKEN,
                "TERRAWATT_STORE__USER": USER,
                "TERRAWATT_STORE__PASSWORD": DATABASE_PASSWORD,
            }
        lab.config(entries, store=store, cold_s=1.0, repetitions=1)
        run = lab.start(*lab.busy(2))
        eventually(lambda: lab.flag.exists(), "the repetition")
        broker.kill()  # so that there is something to complain about
        commands = [process.cmdline() for process in psutil.Process(run.pid).children(recursive=True)]
        broker.start()
        out, err = run.communicate(timeout=120)
        assert (run.returncode, err) == (0, "")
        folder = lab.last_run()
        assert len(stored(folder, plug.name)) > 5
        said = [out, *(argument for command in commands for argument in command)]
        for arguments in (
            ["summary", str(folder.path)],
            ["store", "info", str(folder.path)],
            ["store", "forward", str(folder.path)],
            ["doctor", "--json"],
        ):
            done = lab.terrawatt(*arguments)
            said += [done.stdout, done.stderr]
        assert secrets_in("\n".join(said).encode()) == []
        check_files(lab.folder / "results")


def test_a_secret_that_others_can_read_is_refused(lab: Lab, broker: Mosquitto, tmp_path: Path) -> None:
    plug = lab.plug("zwave", broker)
    user = private(tmp_path, "user", USER)
    password = private(tmp_path, "password", PASSWORD)
    for mode in (0o640, 0o604, 0o666):
        os.chmod(password, mode)  # noqa: PTH101
        lab.config([f'{plug.entry}user_file = "{user}"\npassword_file = "{password}"\n'])
        run = lab.start("true")
        _, err = run.communicate(timeout=60)
        assert run.returncode != 0
        assert err.count("\n") == 1
        assert f"others can read it (mode {mode:04o})" in err
        assert secrets_in(err.encode()) == []
        assert not list(lab.folder.glob("results/faults/run_*"))


@pytest.mark.slow
def test_no_text_of_a_user_becomes_markup_in_the_report(lab: Lab, broker: Mosquitto) -> None:
    plug = lab.plug("zwave", broker)
    lab.config([plug.entry], cold_s=1.0, repetitions=2)
    broker.publish("zwave/zwave/50/0/value/66049", MARKUP)
    run = lab.start("sh", "-c", 'echo "$1"; sleep 1; test ! -e "$2" && touch "$2"', "sh", MARKUP, str(lab.flag))
    broker_says = f'{{"value": "{MARKUP}"}}'
    eventually(lambda: lab.flag.exists(), "the first repetition")
    broker.publish("zwave/zwave/50/0/value/66049", broker_says)
    _, err = run.communicate(timeout=120)
    assert run.returncode == 1, err  # the second one fails, so that its last words are in the report
    folder = lab.last_run()
    summary = lab.terrawatt("summary", str(folder.path))
    report = next(lab.folder.rglob("report.html")).read_text()
    assert MARKUP not in report, summary.stderr
    assert "&lt;script&gt;alert(" in report
