import json
from dataclasses import replace
from pathlib import Path

import pytest

from terrawatt.config import ProtocolSettings
from terrawatt.errors import RunFolderError
from terrawatt.records import AccuracyBand, Scenario, Semantics, SeriesKey, SourceDescription
from terrawatt.runs.atomic import sha256
from terrawatt.runs.layout import prepare_run
from terrawatt.runs.manifest import Manifest, read_manifest, seal, write_manifest

MANIFEST = Manifest(
    experiment="flying",
    run="run_1",
    group=None,
    scenario=Scenario({"model": "s-cnn-all", "lr": 0.1, "batch": 10, "fast": True}, ("python", "a b"), seed=5),
    protocol=ProtocolSettings(cold_s=3, repetitions=2),
    sources=(
        SourceDescription(
            name="plug",
            kind="replay",
            semantics=Semantics.MEAN,
            accuracy=(AccuracyBand(below_w=300, plus_minus_w=3), AccuracyBand(plus_minus_percent=1)),
            series=SeriesKey.of("power", "power_w", source="plug", host="lab"),
        ),
    ),
    host="lab",
    host_series={"cpu": SeriesKey.of("cpu", "usage_user", cpu="cpu-total", host="lab")},
    missing={"temp": "no sensor"},
    store="telemetry.sqlite",
    created="2026-01-31T12:00:00.000000000Z",
    blocks=(1, 1),
    sampling_interval_s=1.0,
    data={"patches": 3},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.json", MANIFEST)
    assert read_manifest(tmp_path / "manifest.json") == MANIFEST


def test_parameters_keep_their_types(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.json", MANIFEST)
    parameters = read_manifest(tmp_path / "manifest.json").scenario.parameters
    assert [type(value) for value in parameters.values()] == [str, float, int, bool]


def test_each_repetition_has_its_seed() -> None:
    assert [MANIFEST.seed_of(number) for number in (1, 2, 3)] == [5, 6, 7]
    assert replace(MANIFEST, scenario=Scenario({}, ("true",))).seed_of(1) is None


def test_sealing_records_every_file_that_is_complete(tmp_path: Path) -> None:
    (folder,) = prepare_run(tmp_path / "run_1")
    names = ["times.txt", "output/repetition_1_probabilities.npy", "emissions/emissions_1.csv", "telemetry.sqlite"]
    for name in (
        *names,
        "log.txt",
        "status.json",
        "summary/report.html",
        "half.tmp",
        ".hidden",
        "telemetry.sqlite-wal",
    ):
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text(name)
    sealed = seal(folder, MANIFEST)
    assert sealed.checksums == {name: sha256(folder.path / name) for name in names}
    assert read_manifest(folder.manifest) == sealed


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.json", replace(MANIFEST, format_version=99))
    with pytest.raises(RunFolderError, match=r"format 99, .* update terrawatt"):
        read_manifest(tmp_path / "manifest.json")


def test_a_wrong_value_is_named_with_its_place(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.json", MANIFEST)
    content = json.loads((tmp_path / "manifest.json").read_text())
    content["protocol"]["cold_s"] = "long"
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(RunFolderError, match=r"protocol\.cold_s"):
        read_manifest(tmp_path / "manifest.json")


def test_no_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no run of terrawatt"):
        read_manifest(tmp_path / "manifest.json")


def test_rubbish_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("rubbish")
    with pytest.raises(RunFolderError, match=r"manifest\.json: the file"):
        read_manifest(tmp_path / "manifest.json")
