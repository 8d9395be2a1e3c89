"""The description of a run folder, by the rules of RO-Crate 1.1."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from run_folders import Recipe
from terrawatt.config import ExperimentSettings
from terrawatt.errors import RunFolderError
from terrawatt.runs.atomic import sha256
from terrawatt.summary.crate import FILE_NAME, UNKNOWN_LICENSE, write_crate

MakeRun = Callable[..., Path]
Entities = dict[str, dict[str, Any]]


def described(run: Path, **settings: Any) -> Entities:
    path = write_crate(run, ExperimentSettings(**settings))
    assert path == run / "ro-crate-metadata.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in content["@graph"]}
    assert len(entities) == len(content["@graph"])  # flattened: one entity an @id
    return entities


def references(value: Any) -> list[str]:
    """The @ids that a value refers to."""
    if isinstance(value, dict):
        return [value["@id"]] if set(value) == {"@id"} else []
    return [one for part in value for one in references(part)] if isinstance(value, list) else []


def test_every_file_is_there_with_its_size_and_checksum(make_run: MakeRun) -> None:
    run = make_run(1, Recipe())
    (run / "summary").mkdir()
    (run / "summary" / "a table é.csv").write_text("x\n")
    (run / ".half-written").write_text("x")
    entities = described(run)
    files = {unquote(name): entity for name, entity in entities.items() if entity["@type"] == "File"}
    on_disk = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert set(files) == on_disk - {FILE_NAME, ".half-written"}
    for name, entity in files.items():
        assert int(entity["contentSize"]) == (run / name).stat().st_size
        assert entity["sha256"] == sha256(run / name)
    assert files["summary/a table é.csv"]["encodingFormat"] == "text/csv"
    assert {part["@id"] for part in entities["./"]["hasPart"]} == {entity["@id"] for entity in files.values()}


def test_the_root_and_its_descriptor_are_those_of_the_specification(make_run: MakeRun) -> None:
    entities = described(make_run(1, Recipe()))
    descriptor, root = entities[FILE_NAME], entities["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert (descriptor["about"], descriptor["conformsTo"]) == ({"@id": "./"}, {"@id": "https://w3id.org/ro/crate/1.1"})
    assert root["@type"] == "Dataset"
    assert root["name"] == "conso, run_1"
    assert "1 scenario, 3 repetitions, on a processor" in root["description"]
    assert len(root["datePublished"]) == len("2026-11-24")


def test_whatever_is_referred_to_is_described(make_run: MakeRun) -> None:
    run = make_run(2, Recipe(), Recipe(parameters=(("model", "s-cnn-rgb"),)))
    entities = described(run, authors=("Ada",), license="https://creativecommons.org/licenses/by/4.0/")
    outside = {"https://w3id.org/ro/crate/1.1"}
    wanted = {one for entity in entities.values() for value in entity.values() for one in references(value)}
    assert wanted - set(entities) <= outside


def test_the_act_of_measuring_names_its_meters_times_and_files(make_run: MakeRun) -> None:
    run = make_run(2, Recipe(), Recipe(parameters=(("model", "s-cnn-rgb"),)))
    entities = described(run)
    action = entities["#measurement-run_2/group_2"]
    assert action["@type"] == "CreateAction"
    assert action["instrument"] == [{"@id": "#terrawatt"}, {"@id": "#source-plug"}]
    assert action["startTime"] < action["endTime"]
    assert all(part["@id"].startswith("group_2/") for part in action["result"])
    assert "± (3 W + 0 %) below 300 W; ± (0 W + 1 %)" in entities["#source-plug"]["description"]


def test_authors_and_licence_are_as_given_or_unknown(make_run: MakeRun) -> None:
    run = make_run(1, Recipe())
    unknown = described(run)["./"]
    assert unknown["license"] == UNKNOWN_LICENSE
    assert "author" not in unknown
    ada = "https://orcid.org/0000-0002-1825-0097"
    entities = described(run, authors=(f"Ada Lovelace <{ada}>", "Émile"), license="CC-BY-4.0")
    assert entities["./"]["license"] == "CC-BY-4.0"
    assert entities["./"]["author"] == [{"@id": ada}, {"@id": "#author-2"}]
    assert (entities[ada]["name"], entities["#author-2"]["name"]) == ("Ada Lovelace", "Émile")
    by_address = described(run, license="https://creativecommons.org/licenses/by/4.0/")
    assert by_address["./"]["license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}


def test_a_folder_without_a_manifest_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    run = tmp_path / "run_1"
    run.mkdir()
    with pytest.raises(RunFolderError, match=r"no manifest\.json"):
        write_crate(run, ExperimentSettings())
    assert list(run.iterdir()) == []
