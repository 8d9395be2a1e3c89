"""`terrawatt data split` and `terrawatt data labels`: what they print, write and refuse."""

import csv
from pathlib import Path

import pytest

from terrawatt.cli import app
from terrawatt.data.splitfile import read_split
from terrawatt.data.synth import synthesise


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "v2"
    synthesise(folder, version="v2", patches=40, seed=5)
    return folder


@pytest.fixture
def table(archive: Path) -> Path:
    return archive / "metadata.parquet"


def call(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = 0
    try:
        app.main(["data", *map(str, arguments)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_split_with_table_and_figure(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, csv_file, figure = tmp_path / "split.parquet", tmp_path / "labels.csv", tmp_path / "labels.svg"
    options = ("--stratified", "--sizes", "0.5", "0.25", "0.25", "--seed", "3", "--labels", "19")
    code, printed, error = call(
        "split", table, *options, "--out", out, "--table", csv_file, "--figure", figure, capsys=capsys
    )
    assert (code, error) == (0, "")
    split = read_split(out)
    n = len(split.patch_ids)
    assert printed.startswith(
        f"{out}: train {split.size('train')} ({100 * split.size('train') / n:.2f} %), validation "
    )
    assert f"digest: {split.digest[:12]}\n" in printed
    assert "farthest from the whole: " in printed
    assert split.provenance["seed"] == 3
    assert split.provenance["sizes"] == [0.5, 0.25, 0.25]
    rows = list(csv.DictReader(csv_file.read_text().splitlines()))
    assert len(rows) == 19 * 3
    assert sum(int(row["patches"]) for row in rows[:3]) == n
    assert figure.read_text().startswith("<svg")


@pytest.mark.parametrize("ending", [".png", ".pdf", ".html"])
def test_the_figure_by_its_ending(ending: str, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / f"labels{ending}"
    assert call("labels", table, "--figure", figure, capsys=capsys)[0] == 0
    assert figure.read_bytes()[:4] in (b"\x89PNG", b"%PDF", b"<!do", b"<!DO")


def test_the_labels_of_a_split(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "split.parquet"
    _, made, _ = call("split", archive, "--random", "--out", out, capsys=capsys)
    code, printed, error = call("labels", archive, "--split", out, capsys=capsys)
    assert (code, error) == (0, "")
    assert printed.splitlines()[-1] in made
    _, own, _ = call("labels", archive, capsys=capsys)
    assert own != printed


def test_whole_tiles(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = call("split", table, "--by", "tile", "--out", tmp_path / "s.parquet", capsys=capsys)
    assert code == 0
    assert "\ntiles: train " in printed


def test_lists_have_no_labels_to_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("train", "val", "test"):
        (tmp_path / f"{name}.csv").write_text(f"S2A_MSIL2A_20170613T101031_{len(name)}_57\n")
    out, figure = tmp_path / "s.parquet", tmp_path / "labels.svg"
    code, printed, error = call("split", tmp_path, "--official", "--out", out, "--figure", figure, capsys=capsys)
    assert code == 0
    assert "train 1 (33.33 %)" in printed
    assert "has no labels: neither table nor figure was made" in error
    assert not figure.exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--stratified", "--random"), 2, "--stratified and --random: give one of them"),
        (("--official", "--sizes", "0.6", "0.2", "0.2"), 2, "--sizes: the official split is as it is"),
        (("--official", "--seed", "0"), 2, "--seed: the official split is as it is"),
        (("--by", "region"), 2, "--by region: must be tile or country"),
        (("--sizes", "0.6", "0.2", "0.3"), 2, "--sizes 0.6 0.2 0.3: give shares"),
        (("--labels", "20"), 2, "--labels 20: must be 19 or 43"),
        (("--labels", "43"), 1, "only the 19 classes"),
        (("--seed", "-1"), 2, "--seed -1: must be at least 0"),
        (("--figure", "labels.gif"), 2, "labels.gif: figures end in .svg, .png, .pdf, .html"),
        (("--table", "nowhere/labels.csv"), 2, "nowhere is not a folder"),
    ],
)
def test_what_cannot_be_meant(
    options: tuple[str, ...],
    code: int,
    message: str,
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    found, _, error = call("split", table, *options, "--out", "split.parquet", capsys=capsys)
    assert found == code
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_no_file_is_replaced(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "split.parquet"
    out.write_text("mine")
    code, _, error = call("split", table, "--out", out, capsys=capsys)
    assert code == 1
    assert "exists already" in error
    assert out.read_text() == "mine"
