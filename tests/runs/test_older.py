"""The older scripts' folders, and what their own readers did wrong with them."""

from pathlib import Path

import pytest
import yaml

from older_folders import COLD_S, REPETITION_S, WARMUP_S, S, make_older, times
from terrawatt.errors import RunFolderError
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.older import OlderFolder, is_older, read_older


@pytest.fixture
def folder(tmp_path: Path) -> OlderFolder:
    return OlderFolder(make_older(tmp_path / "conso" / "run_3"))


def test_it_is_told_apart_by_its_files(folder: OlderFolder, tmp_path: Path) -> None:
    assert is_older(RunFolder(folder.path))
    assert not is_older(RunFolder(tmp_path))
    folder.manifest.write_text("{}")
    assert not is_older(RunFolder(folder.path))


def test_boundaries_are_contiguous_and_keep_their_nanoseconds(folder: OlderFolder) -> None:
    """Theirs cut the times to whole seconds."""
    run = read_older(folder)
    assert [phase.name for phase in run.phases] == ["cold", "warmup", *["repetition"] * 3]
    assert [phase.window.duration_s for phase in run.phases] == [COLD_S, WARMUP_S, *[REPETITION_S] * 3]
    assert [phase.window.start_ns for phase in run.phases] == times(3)[:-1]
    assert run.phases[0].window.start_ns % S == 123_456_789
    assert [phase.repetition for phase in run.phases] == [None, None, 1, 2, 3]


def test_a_missing_final_newline_loses_no_repetition(tmp_path: Path) -> None:
    """Theirs lost the last one."""
    with_newline, without = (
        read_older(OlderFolder(make_older(tmp_path / str(newline), newline=newline))) for newline in (True, False)
    )
    assert without.repetitions == 3
    assert without.phases == with_newline.phases


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_without_a_whole_repetition_it_is_refused(folder: OlderFolder, count: int) -> None:
    lines = folder.times.read_text().splitlines(keepends=True)
    folder.times.write_text("".join(lines[:count]))
    with pytest.raises(RunFolderError, match=rf"times\.txt: {count} times, .* only with the fourth"):
        read_older(folder)


def test_a_line_that_is_no_time_and_one_out_of_order_are_named(folder: OlderFolder) -> None:
    lines = folder.times.read_text().splitlines()
    folder.times.write_text("\n".join([*lines[:4], "Terminated", *lines[4:]]))
    with pytest.raises(RunFolderError, match=r"times\.txt, line 5: 'Terminated' is not a UTC time"):
        read_older(folder)
    folder.times.write_text("\n".join([*lines[:4], lines[2]]))
    with pytest.raises(RunFolderError, match=r"time 5, 2023-.*, is not behind the one before it; was the clock"):
        read_older(folder)


def test_options_become_what_they_are_texts_or_not(folder: OlderFolder) -> None:
    parameters = read_older(folder).parameters
    assert parameters["lr"] == 0.001
    assert parameters["epochs"] == 10
    assert isinstance(parameters["epochs"], int)
    assert parameters["model"] == "ShortCNN"


def test_the_commit_is_qanats(folder: OlderFolder) -> None:
    assert read_older(folder).commit == ""
    (folder.path / "info.yaml").write_text(yaml.safe_dump({"commit_sha": "0123abc"}))
    assert read_older(folder).commit == "0123abc"


def test_no_options_are_no_reason_to_refuse(folder: OlderFolder) -> None:
    (folder.path / "group_info.yaml").unlink()
    assert read_older(folder).parameters == {}


@pytest.mark.parametrize("text", ["- a list", "{unclosed", "!!python/object/apply:os.system ['true']"])
def test_damaged_options_are_named(folder: OlderFolder, text: str) -> None:
    (folder.path / "group_info.yaml").write_text(text)
    with pytest.raises(RunFolderError, match=r"group_info\.yaml: ") as caught:
        read_older(folder)
    assert "\n" not in str(caught.value)


def test_files_belong_to_the_repetition_whose_number_they_have(tmp_path: Path) -> None:
    """Theirs took them in the order of the directory, in which 10 comes before 2."""
    folder = OlderFolder(make_older(tmp_path / "run_1", repetitions=12))
    assert sorted(path.name for path in folder.emissions.iterdir())[1] == "emissions_10.csv"
    assert [folder.emissions_of(number).name for number in (2, 10)] == ["emissions_2.csv", "emissions_10.csv"]
    for number in (2, 10):
        (folder.output / f"probabilities-{number}.npy").touch()
    assert folder.output_of(2, "probabilities.npy").name == "probabilities-2.npy"
    assert folder.output_of(10, "probabilities.npy").name == "probabilities-10.npy"
    assert not folder.output_of(3, "probabilities.npy").exists()


def test_numbers_may_begin_at_0(folder: OlderFolder) -> None:
    for number in (1, 2, 3):
        folder.emissions_of(number).rename(folder.emissions / f"emissions{number - 1}.csv")
    assert [folder.emissions_of(number).name for number in (1, 2, 3)] == [f"emissions{i}.csv" for i in (0, 1, 2)]


def test_emissions_may_lie_in_either_folder(folder: OlderFolder) -> None:
    assert folder.emissions.name == "codecarbon"
    folder.emissions.rename(folder.path / "emissions")
    assert folder.emissions_of(2) == folder.path / "emissions" / "emissions_2.csv"


def test_a_file_without_a_number_is_of_the_only_repetition_or_of_none(folder: OlderFolder) -> None:
    (folder.output / "scores.csv").touch()
    assert folder.output_of(1, "scores.csv").name == "repetition_1_scores.csv"
    assert OlderFolder(folder.path, is_single=True).output_of(1, "scores.csv").name == "scores.csv"
