"""What a summary leaves for papers and archives, beside its table and report; each file whole or not at all."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from terrawatt import __version__
from terrawatt.config import ExperimentSettings
from terrawatt.errors import RunFolderError, UsageError, did_you_mean
from terrawatt.report.export.latex import latex_table
from terrawatt.report.export.markdown import markdown_table
from terrawatt.report.export.scenarios import PaperTable, paper_table
from terrawatt.report.verdicts import without_unusable
from terrawatt.runs.atomic import write_text
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.summary.bibliography import bibliography
from terrawatt.summary.crate import write_crate
from terrawatt.summary.record import SummaryRecord, read_record
from terrawatt.summary.summarise import SummaryResult


class Export(StrEnum):
    """What can be exported."""

    LATEX = "latex"
    MARKDOWN = "markdown"
    BIBTEX = "bibtex"
    RO_CRATE = "ro-crate"


def parse_exports(words: Sequence[str]) -> tuple[Export, ...]:
    """Exports by their names, also several in a word: `latex,markdown`.

    Raises:
        UsageError: there is no such export.
    """
    names = [name.strip() for word in words for name in word.split(",") if name.strip()]
    for name in names:
        if name not in tuple(Export):
            raise UsageError(f"--export {name}: no such export.{did_you_mean(name, tuple(Export))}")
    return tuple(Export(name) for name in dict.fromkeys(names))


def export(
    result: SummaryResult, exports: Sequence[Export], runs: Sequence[Path], experiment: ExperimentSettings
) -> list[Path]:
    """Write what is asked for: `scenarios.tex`, `scenarios.md` and `methods.bib` beside the table, a crate in each run.

    Args:
        result: of the summary.
        exports: what is asked for.
        runs: the run folders; none where only a table is there.
        experiment: the authors and the licence of a crate.

    Returns:
        The files.

    Raises:
        UsageError: a crate is asked for, and there is no run.
        RunFolderError: a run has no manifest, as those of the older scripts.
    """
    folders = list(dict.fromkeys(RunFolder(path).run_path for path in runs if path.is_dir()))
    if Export.RO_CRATE in exports and not folders:
        raise UsageError("--export ro-crate describes a run's folder; give a run")
    out, written = result.files.folder, []
    record = read_record(result.files.json)
    usable = without_unusable(result.table, result.verdicts)
    if {Export.LATEX, Export.MARKDOWN} & set(exports):
        shown = paper_table(usable, _estimated(record))
        written += [_write_table(out, shown, one) for one in exports if one in (Export.LATEX, Export.MARKDOWN)]
    if Export.BIBTEX in exports:
        written.append(out / "methods.bib")
        write_text(written[-1], bibliography(usable, record, _datasets(folders)))
    if Export.RO_CRATE in exports:  # the last: what was written into a run folder before is described too
        written += [write_crate(folder, experiment) for folder in folders]
    return written


def _write_table(out: Path, shown: PaperTable, kind: Export) -> Path:
    origin = f"Made by terrawatt {__version__}."
    is_latex = kind is Export.LATEX
    path = out / ("scenarios.tex" if is_latex else "scenarios.md")
    write_text(path, latex_table(shown, origin) if is_latex else markdown_table(shown, origin))
    return path


def _estimated(record: SummaryRecord | None) -> list[str]:
    runs = () if record is None else record.runs
    return [source.name for run in runs for source in run.sources if source.is_estimate]


def _datasets(run_paths: Sequence[Path]) -> frozenset[int]:
    """The versions of BigEarthNet that the workloads read; a run without a manifest does not say."""
    found = set()
    for folder in (folder for path in run_paths for folder in scenario_folders(path)):
        try:
            version = str(read_manifest(folder.manifest).data.get("bigearthnet_version", ""))
        except RunFolderError:
            continue
        if version in ("v1", "v2"):
            found.add(int(version[1]))
    return frozenset(found)
