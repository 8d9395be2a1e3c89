import re
from collections.abc import Callable
from pathlib import Path

import pytest

from run_folders import Recipe
from terrawatt.cli.app import main
from terrawatt.config import ExperimentSettings
from terrawatt.errors import UsageError
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest, seal, write_manifest
from terrawatt.summary.bibliography import bibliography
from terrawatt.summary.export import Export, export, parse_exports
from terrawatt.summary.record import read_record
from terrawatt.summary.summarise import summarise

MakeRun = Callable[..., Path]


def keys(text: str) -> set[str]:
    return set(re.findall(r"^@\w+\{(\w+),$", text, flags=re.MULTILINE))


def test_all_is_written_beside_the_table_and_into_the_run(make_run: MakeRun) -> None:
    run = make_run(1, Recipe(), Recipe(parameters=(("model", "inception-v3-scratch"),)))
    result = summarise([run], run / "summary", figures=False)
    written = export(result, tuple(Export), [run], ExperimentSettings())
    assert [path.relative_to(run).as_posix() for path in written] == [
        "summary/scenarios.tex",
        "summary/scenarios.md",
        "summary/methods.bib",
        "ro-crate-metadata.json",
    ]
    assert r"\begin{tabular}" in written[0].read_text(encoding="utf-8")
    assert "| s-cnn-all |" in written[1].read_text(encoding="utf-8")
    assert '"summary/methods.bib"' in written[3].read_text(encoding="utf-8")


def test_a_described_run_is_still_the_one_that_was_measured(make_run: MakeRun) -> None:
    run = make_run(1, Recipe())
    folder = RunFolder(run)
    seal(folder, read_manifest(folder.manifest))
    for _ in range(2):  # the second finds the description of the first
        result = summarise([run], run / "summary", figures=False)
        export(result, (Export.RO_CRATE,), [run], ExperimentSettings())
    assert not any("not as it was measured" in note for note in result.notes)


def test_the_methods_that_were_used_are_cited_and_no_others(make_run: MakeRun) -> None:
    run = make_run(1, Recipe(has_emissions=False))
    result = summarise([run], run / "summary", figures=False)
    record = read_record(result.files.json)
    found = bibliography(result.table, record)
    assert keys(found) == {"terrawatt", "gum", "satterthwaite1946", "patterson1971"}
    assert found.count("{") == found.count("}")
    assert keys(bibliography(result.table, None)) == {"terrawatt", "gum", "satterthwaite1946"}


def test_data_models_and_codecarbon_are_cited_where_they_were_used(make_run: MakeRun) -> None:
    run = make_run(1, Recipe(parameters=(("model", "inception-v3-transfer"),)))
    manifest = RunFolder(run).manifest
    from dataclasses import replace

    write_manifest(manifest, replace(read_manifest(manifest), data={"bigearthnet_version": "v2"}))
    result = summarise([run], run / "summary", figures=False)
    (path,) = export(result, (Export.BIBTEX,), [run], ExperimentSettings())
    assert {"codecarbon", "sumbul2019", "clasen2024", "szegedy2016"} <= keys(path.read_text(encoding="utf-8"))


def test_exports_are_named_and_near_names_are_told() -> None:
    assert parse_exports(["latex, markdown", "latex"]) == (Export.LATEX, Export.MARKDOWN)
    with pytest.raises(UsageError, match="Did you mean latex"):
        parse_exports(["latx"])


def test_the_command_exports_from_runs_and_from_their_table(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "terrawatt.toml").write_text('[experiment]\nname = "conso"\nauthors = ["Ada"]\n')
    run = make_run(1, Recipe())

    def terrawatt(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["summary", *arguments, "--figures", "none"])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    code, out, _ = terrawatt("1", "--export", "latex,ro-crate")
    assert code == 0
    assert f"export: {Path('results/conso/run_1/summary/scenarios.tex')}" in out
    assert '"name": "Ada"' in (run / "ro-crate-metadata.json").read_text(encoding="utf-8")

    table = str(run / "summary" / "output_all.csv")
    assert terrawatt(table, "--file", "True", "--export", "markdown,bibtex")[0] == 0
    assert (run / "summary" / "scenarios.md").is_file()
    code, _, err = terrawatt(table, "--file", "True", "--export", "ro-crate")
    assert (code, "give a run" in err) == (2, True)
    code, _, err = terrawatt("1", "--export", "word")
    assert (code, "--export word: no such export" in err) == (2, True)
