"""`terrawatt data` from the command line: what it prints, its exit codes, and what it leaves behind."""

import re
import shutil
from pathlib import Path

import pytest

from terrawatt.cli import app
from terrawatt.data.pack import Pack


def call(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = 0
    try:
        app.main(["data", *map(str, arguments)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def first(archive: Path) -> Path:
    return min((archive / "BigEarthNet-v1.0").iterdir())


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_synth_info_pack_info_verify(version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive, pack = tmp_path / "archive", tmp_path / "pack"
    code, out, _ = call("synth", archive, "--version", version, "--patches", "5.0", "--seed", 3, capsys=capsys)
    assert (code, out) == (0, f"{archive}: 5 synthetic patches in the format of BigEarthNet {version}\n")
    code, out, _ = call("info", archive, "--check", capsys=capsys)
    assert code == 0
    assert f"what: archive of BigEarthNet {version}\n" in out
    assert "patches: 5\n" in out
    assert "  train: 3 listed, 3 here, 3 usable\n" in out
    assert "missing or broken: 0\n" in out
    code, out, _ = call("pack", archive, pack, capsys=capsys)
    assert code == 0
    assert re.fullmatch(
        rf"{pack}: 5 patches of BigEarthNet {version}, 800 kB, in [\d.]+ s \([\d,]+ patches/s, 1 process\)\n", out
    )
    code, out, _ = call("info", pack, capsys=capsys)
    assert code == 0
    assert f"what: pack of BigEarthNet {version}\n" in out
    assert "  train: 3 listed, 3 here, 3 usable\n" in out
    assert ("43 labels" in out) is (version == "v1")
    code, out, _ = call("verify", pack, capsys=capsys)
    assert (code, out) == (0, f"{pack}: all 5 patches are as they were packed\n")


def test_info_says_where_the_lists_end(v1: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(first(v1))
    code, out, _ = call("info", v1, capsys=capsys)
    assert code == 0
    assert "listed but not on disk: 1\n" in out
    code, out, err = call("info", v1, "--strict", capsys=capsys)
    assert (code, out) == (1, "")
    assert err.startswith("terrawatt: error: ")
    assert "1 listed patches are not on disk" in err


def test_info_names_broken_patches(v1: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = first(v1).name
    (first(v1) / f"{name}_B01.tif").unlink()
    code, out, _ = call("info", v1, capsys=capsys)
    assert code == 0
    assert "missing or broken: 1\n" in out
    assert out.splitlines()[-1].startswith(f"patch {name}: band B01 is missing")
    code, _, err = call("info", v1, "--strict", capsys=capsys)
    assert code == 1
    assert "1 patches with missing or broken files" in err


def test_pack_tells_of_missing_and_strict_refuses(v1: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(first(v1))
    code, _, err = call("pack", v1, tmp_path / "pack", "--strict", capsys=capsys)
    assert code == 1
    assert "1 listed patches are not on disk" in err
    assert not list(tmp_path.glob("pack*"))
    code, out, _ = call("pack", v1, tmp_path / "pack", capsys=capsys)
    assert code == 0
    assert f"not packed: 1 listed but not on disk; named in {tmp_path / 'pack' / 'report.json'}\n" in out


def test_pack_tells_of_broken_patches(v1: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = first(v1).name
    (first(v1) / f"{name}_B01.tif").unlink()
    code, out, err = call("pack", v1, tmp_path / "pack", capsys=capsys)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert f"patch {name}: band B01 is missing" in err
    assert "--skip-broken" in err
    assert not list(tmp_path.glob("pack*"))
    code, out, err = call("pack", v1, tmp_path / "pack", "--skip-broken", capsys=capsys)
    assert code == 0
    assert f"left out: patch {name}: band B01 is missing" in err
    assert "not packed: 1 broken; named in " in out
    assert len(Pack.open(tmp_path / "pack")) == 11


def test_pack_tells_of_missing_splits(v1: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (v1 / "splits").rename(v1 / "lists")
    code, out, _ = call("pack", v1, tmp_path / "a", capsys=capsys)
    assert code == 0
    assert "give the lists with --splits DIR" in out
    code, out, _ = call("pack", v1, tmp_path / "b", "--splits", v1 / "lists", capsys=capsys)
    assert code == 0
    assert "--splits" not in out


def test_pack_tells_of_patches_without_metadata(v2: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tile = min((v2 / "BigEarthNet-S2").iterdir())
    shutil.copytree(min(tile.iterdir()), tile / f"{tile.name}_91_91")
    code, out, _ = call("pack", v2, tmp_path / "pack", capsys=capsys)
    assert code == 0
    assert "not packed: 1 without labels in the table; named in " in out


@pytest.mark.parametrize("command", ["info", "verify"])
def test_a_damaged_pack(command: str, pack_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = pack_folder / "shard_00000_r60.npy"
    content = bytearray(file.read_bytes())
    content[-2] ^= 4
    file.write_bytes(content)
    options = ["--check", "--strict"] if command == "info" else []
    code, out, err = call(command, pack_folder, *options, capsys=capsys)
    assert code == 1
    assert err.startswith("terrawatt: error: ")
    assert err.count("\n") == 1
    assert "its checksum is wrong" in (out if command == "info" else err)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["info", "nowhere"], 1, "nowhere does not exist"),
        (["verify", "nowhere"], 1, "nowhere is not a pack"),
        (["pack", "nowhere", "pack"], 1, "nowhere does not exist"),
        (["synth", "new", "--patches", "2.5"], 2, "is not an integer"),
        (["synth", "new", "--patches", "0"], 2, "is not above 0"),
        (["synth", "new", "--version", "v3"], 2, "no BigEarthNet version 'v3'"),
        (["synth", "new", "--seed", "-4"], 2, "must not be negative"),
    ],
)
def test_bad_input(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    found, out, err = call(*arguments, capsys=capsys)
    assert (found, out) == (code, "")
    assert message in err
    assert not list(tmp_path.iterdir())


def test_tables_in_a_terminal(
    shared_v1: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, out, _ = call("info", shared_v1, capsys=capsys)
    assert code == 0
    assert "│ patches" in out
    assert "Sea and ocean" in out or "Pastures" in out
