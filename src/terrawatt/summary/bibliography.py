"""BibTeX of the methods that a summary used: what a paper with its numbers cites."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from terrawatt import __version__
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.summary.record import SummaryRecord


@dataclass(frozen=True, slots=True)
class Used:
    """What a summary used.

    Attributes:
        kinds: of the columns that have a value.
        models: names of the models.
        has_baseline: whether a net energy was computed here.
        datasets: versions of BigEarthNet.
    """

    kinds: frozenset[ColumnKind]
    models: frozenset[str]
    has_baseline: bool
    datasets: frozenset[int]


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry: its key, its type, its fields, and whether it is used."""

    key: str
    kind: str
    fields: Mapping[str, str]
    is_used: Callable[[Used], bool]


def _has_energy(used: Used) -> bool:
    return bool(used.kinds & {ColumnKind.ENERGY, ColumnKind.GROSS})


_ALL = (
    Reference(
        "terrawatt",
        "misc",
        {
            "author": "{The terrawatt authors}",
            "title": "{terrawatt}: controlled energy experiments of deep learning on {Earth}-observation images",
            "note": f"Version {__version__}",
        },
        lambda _: True,
    ),
    Reference(
        "gum",
        "techreport",
        {
            "author": "{Joint Committee for Guides in Metrology}",
            "title": "Evaluation of measurement data -- Guide to the expression of uncertainty in measurement",
            "institution": "BIPM",
            "number": "JCGM 100:2008",
            "year": "2008",
            "doi": "10.59161/JCGM100-2008E",
        },
        _has_energy,
    ),
    Reference(
        "satterthwaite1946",
        "article",
        {
            "author": "Satterthwaite, F. E.",
            "title": "An Approximate Distribution of Estimates of Variance Components",
            "journal": "Biometrics Bulletin",
            "volume": "2",
            "number": "6",
            "pages": "110--114",
            "year": "1946",
            "doi": "10.2307/3002019",
        },
        _has_energy,
    ),
    Reference(
        "patterson1971",
        "article",
        {
            "author": "Patterson, H. D. and Thompson, R.",
            "title": "Recovery of Inter-block Information when Block Sizes are Unequal",
            "journal": "Biometrika",
            "volume": "58",
            "number": "3",
            "pages": "545--554",
            "year": "1971",
            "doi": "10.1093/biomet/58.3.545",
            "note": "REML, of the noise of the idle level",
        },
        lambda used: used.has_baseline,
    ),
    Reference(
        "codecarbon",
        "misc",
        {
            "author": "Courty, Benoit and Schmidt, Victor and Luccioni, Sasha and others",
            "title": "{CodeCarbon}: Estimate and track carbon emissions from computing",
            "doi": "10.5281/zenodo.4658424",
            "url": "https://codecarbon.io",
        },
        lambda used: ColumnKind.EMISSIONS in used.kinds,
    ),
    Reference(
        "sumbul2019",
        "inproceedings",
        {
            "author": r"Sumbul, Gencer and Charfuelan, Marcela and Demir, Beg{\"u}m and Markl, Volker",
            "title": "{BigEarthNet}: A Large-Scale Benchmark Archive for Remote Sensing Image Understanding",
            "booktitle": "IGARSS 2019 -- IEEE International Geoscience and Remote Sensing Symposium",
            "pages": "5901--5904",
            "year": "2019",
            "doi": "10.1109/IGARSS.2019.8900532",
        },
        lambda used: bool(used.datasets),
    ),
    Reference(
        "clasen2024",
        "misc",
        {
            "author": "Clasen, Kai Norman and Hackel, Leonard and Burgert, Tom and Sumbul, Gencer and "
            r"Demir, Beg{\"u}m and Markl, Volker",
            "title": "{reBEN}: Refined {BigEarthNet} Dataset for Remote Sensing Image Analysis",
            "year": "2024",
            "eprint": "2407.03653",
            "archiveprefix": "arXiv",
        },
        lambda used: 2 in used.datasets,
    ),
    Reference(
        "szegedy2016",
        "inproceedings",
        {
            "author": "Szegedy, Christian and Vanhoucke, Vincent and Ioffe, Sergey and Shlens, Jonathon and "
            "Wojna, Zbigniew",
            "title": "Rethinking the {Inception} Architecture for Computer Vision",
            "booktitle": "IEEE Conference on Computer Vision and Pattern Recognition (CVPR)",
            "pages": "2818--2826",
            "year": "2016",
            "doi": "10.1109/CVPR.2016.308",
        },
        lambda used: any(model.startswith("inception-v3") for model in used.models),
    ),
)


def bibliography(table: Table, record: SummaryRecord | None, datasets: frozenset[int] = frozenset()) -> str:
    """The entries of what is used, as a `.bib` file.

    Args:
        table: of the summary.
        record: what it was computed from; None: not known.
        datasets: versions of BigEarthNet that the workloads read.
    """
    used = _used(table, record, datasets)
    return "\n".join(_entry(reference) for reference in _ALL if reference.is_used(used))


def _used(table: Table, record: SummaryRecord | None, datasets: frozenset[int]) -> Used:
    columns = [name for name in table.columns if name in table.frame and table.frame[name].notna().any()]
    models = frozenset(map(str, table.frame["Model"].dropna())) if "Model" in table.frame else frozenset[str]()
    baselines = [] if record is None else [one for run in record.runs for one in run.baselines.values()]
    return Used(
        kinds=frozenset(table.columns[name].kind for name in columns),
        models=models,
        has_baseline=any(one.before is not None for one in baselines),
        datasets=datasets,
    )


def _entry(reference: Reference) -> str:
    fields = "".join(f"  {name} = {{{value}}},\n" for name, value in reference.fields.items())
    return f"@{reference.kind}{{{reference.key},\n{fields}}}\n"
