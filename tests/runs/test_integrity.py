import pytest

from run_folders import Recipe, make_run
from terrawatt.errors import ChangedFilesError
from terrawatt.runs.integrity import check_files, require_intact
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest, seal


@pytest.fixture
def folder(tmp_path):
    return RunFolder(make_run(tmp_path, 1, Recipe(repetitions=1)))


@pytest.fixture
def sealed(folder):
    return folder, seal(folder, read_manifest(folder.manifest))


def test_what_was_not_touched_is_intact_also_with_files_that_came_later(sealed):
    folder, manifest = sealed
    (folder.path / "summary").mkdir()
    (folder.path / "summary" / "output_all.csv").write_text("later")
    (folder.path / "remarks.txt").write_text("later")
    found = check_files(folder, manifest)
    assert found.is_sealed
    assert found.is_intact
    require_intact(folder, found)


@pytest.mark.parametrize(
    "name", ["phases.jsonl", "telemetry.sqlite", "emissions/emissions_1.csv", "output/targets.npy"]
)
def test_one_changed_byte_is_found_and_named(sealed, name):
    folder, manifest = sealed
    content = bytearray((folder.path / name).read_bytes())
    content[-1] ^= 1
    (folder.path / name).write_bytes(content)
    found = check_files(folder, manifest)
    assert found.changed == (name,)
    with pytest.raises(ChangedFilesError, match=f"changed: {name}, by the checksums in manifest.json"):
        require_intact(folder, found)


def test_a_file_that_is_gone_is_named(sealed):
    folder, manifest = sealed
    folder.phases.unlink()
    found = check_files(folder, manifest)
    assert (found.changed, found.missing) == ((), ("phases.jsonl",))
    assert found.in_words() == "missing: phases.jsonl"


def test_a_run_without_checksums_cannot_be_verified_but_used(folder):
    found = check_files(folder, read_manifest(folder.manifest))
    assert not found.is_sealed
    require_intact(folder, found)
