"""The table of repetitions: its columns with their units, in their order, and which of them are what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

TABLE_VERSION = 1
CHANGE = "Change"  # a factor of sweeps that went on under other circumstances: what was another one
UNCHANGED = "none"
PHASES = ("train", "test")  # phases of a repetition that have an energy of their own


class ColumnKind(StrEnum):
    """What a column is; decides where it stands and what is computed with it."""

    IDENTITY = "identity"  # run, group, block, repetition
    FACTOR = "factor"  # a parameter of the scenario
    ENERGY = "energy"  # net, by a power source
    UNCERTAINTY = "uncertainty"  # standard uncertainty of the energy before it, and its common part
    GROSS = "gross"  # gross energy, and its uncertainty
    DERIVED = "derived"  # emissions by the gross energy of a source, and their uncertainty
    EMISSIONS = "emissions"
    HOST = "host"  # integrals of host series, duration
    PERFORMANCE = "performance"
    PHASE = "phase"  # energy of one phase
    MODEL = "model"  # parameters, FLOPs, sizes of the splits
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    name: str
    unit: str  # "" for counts, names and shares
    kind: ColumnKind
    description: str


@dataclass(frozen=True, eq=False)
class Table:
    """One row a repetition. Missing values are NaN/None; the reason is in the column `Verdict`.

    Attributes:
        frame: the cells.
        columns: what each column is.
        hosts: the machine of each row; empty where that is not known.
    """

    frame: pd.DataFrame
    columns: Mapping[str, Column]
    hosts: tuple[str, ...] = ()

    def of_kind(self, *kinds: ColumnKind) -> list[str]:
        """The names of the columns of these kinds, in the table's order."""
        return [name for name in self.frame.columns if name in self.columns and self.columns[name].kind in kinds]

    def unit(self, name: str) -> str:
        """The unit of a column."""
        return self.columns[name].unit if name in self.columns else ""

    def label(self, name: str) -> str:
        """A column's name with its unit, as an axis shows it: `Energy (plug) (J)`."""
        unit = self.unit(name)
        return f"{name} ({unit})" if unit else name


IDENTITY = (
    Column("Run", "", ColumnKind.IDENTITY, "number of the run"),
    Column("Group", "", ColumnKind.IDENTITY, "number of the scenario inside the run; empty when there is one"),
    Column("Block", "", ColumnKind.IDENTITY, "number of the block; empty where there are none"),
    Column("Repetition", "", ColumnKind.IDENTITY, "number of the repetition, from 1"),
)

MACHINE = Column("Host", "", ColumnKind.IDENTITY, "machine; there where the rows are of several")

# Parameter of a scenario -> its column. Other parameters of a grid keep their own name.
FACTORS: Mapping[str, Column] = {
    "model": Column("Model", "", ColumnKind.FACTOR, "model and how it is trained"),
    "optim": Column("Optimizer", "", ColumnKind.FACTOR, "optimizer"),
    "loss": Column("Loss", "", ColumnKind.FACTOR, "loss function"),
    "lr": Column("Learning rate", "", ColumnKind.FACTOR, "learning rate"),
    "batch": Column("Batch size", "", ColumnKind.FACTOR, "images in a batch"),
    "epochs": Column("Epochs", "", ColumnKind.FACTOR, "epochs of training"),
    "seed": Column("Seed", "", ColumnKind.FACTOR, "seed of this repetition"),
}

HOST = (
    Column("Emissions", "kg CO₂eq", ColumnKind.EMISSIONS, "emissions by CodeCarbon"),
    Column("Energy (CodeCarbon)", "J", ColumnKind.EMISSIONS, "energy by CodeCarbon, gross"),
    Column("CPU", "%·s", ColumnKind.HOST, "CPU use above the cold level, integrated"),
    Column("Memory", "%·s", ColumnKind.HOST, "free memory relative to the cold level, integrated"),
    Column("Temperature", "°C·s", ColumnKind.HOST, "CPU temperature above the cold level, integrated"),
    Column("Reads", "count·s", ColumnKind.HOST, "disk reads since the window's start, integrated"),
    Column("Reads count", "", ColumnKind.HOST, "disk reads in the window"),
    Column("Duration", "s", ColumnKind.HOST, "length of the window, of one execution"),
)

_AVERAGES = {"macro": "mean over labels", "micro": "over all decisions", "samples": "mean over images"}
_SCORES = {"precision": "precision", "recall": "recall", "f1": "F1", "f2": "F2"}

PERFORMANCE = (
    Column(
        "Accuracy", "", ColumnKind.PERFORMANCE, "share of right decisions over images and labels (1 - Hamming loss)"
    ),
    Column("Recall", "", ColumnKind.PERFORMANCE, "recall, mean over labels"),
    *(
        Column(f"{average}_{score}", "", ColumnKind.PERFORMANCE, f"{title}, {over}")
        for average, over in _AVERAGES.items()
        for score, title in _SCORES.items()
    ),
    Column("macro_ap", "", ColumnKind.PERFORMANCE, "average precision, mean over labels"),
    Column("micro_ap", "", ColumnKind.PERFORMANCE, "average precision, over all decisions"),
)

MODEL = (
    Column("Parameters", "", ColumnKind.MODEL, "parameters of the model"),
    Column("FLOPs", "", ColumnKind.MODEL, "floating-point operations of one image, forward"),
    Column("Epochs done", "", ColumnKind.MODEL, "epochs that were done: fewer than asked for after an early stop"),
    Column("Train images", "", ColumnKind.MODEL, "images of the train split: of one epoch"),
    Column("Test images", "", ColumnKind.MODEL, "images of the test split"),
    Column("Test labels", "", ColumnKind.MODEL, "labels that the images of the test split have, together"),
)

VERDICT = Column("Verdict", "", ColumnKind.VERDICT, "what is wrong or doubtful; empty when good")


def energy_columns(source: str) -> tuple[Column, ...]:
    """The five energy columns of one power source."""
    return (
        Column(f"Energy ({source})", "J", ColumnKind.ENERGY, f"energy above the idle level, by {source}"),
        Column(f"u Energy ({source})", "J", ColumnKind.UNCERTAINTY, "standard uncertainty of the net energy"),
        Column(
            common_column(f"Energy ({source})"),
            "J",
            ColumnKind.UNCERTAINTY,
            "the part of it that all repetitions share",
        ),
        Column(f"Energy gross ({source})", "J", ColumnKind.GROSS, f"energy, idle level included, by {source}"),
        Column(f"u Energy gross ({source})", "J", ColumnKind.GROSS, "standard uncertainty of the gross energy"),
    )


def common_column(energy: str) -> str:
    """The column of the part of a net energy's uncertainty that repetitions share: `u common Energy (plug)`."""
    return f"u common {energy}"


def emission_columns(source: str) -> tuple[Column, ...]:
    """The two columns of the emissions by one power source."""
    unit, kind = "kg CO₂eq", ColumnKind.DERIVED
    return (
        Column(f"Emissions ({source})", unit, kind, f"gross energy by {source}, times the carbon intensity"),
        Column(f"u Emissions ({source})", unit, kind, "standard uncertainty of the emissions"),
    )


def phase_column(phase: str, source: str) -> Column:
    """The column of the net energy of one phase, by one source."""
    return Column(f"Energy {phase} ({source})", "J", ColumnKind.PHASE, f"net energy of the phase {phase}, by {source}")


def factor_column(parameter: str) -> Column:
    """The column of a scenario's parameter; parameters that the design does not name keep their own name."""
    if parameter == CHANGE:
        return Column(CHANGE, "", ColumnKind.FACTOR, "what was another one since a resume than at the beginning")
    return FACTORS.get(parameter) or Column(parameter, "", ColumnKind.FACTOR, f"parameter {parameter}")


def all_columns(
    parameters: Iterable[str], sources: Iterable[str], phases: Iterable[str] = PHASES, *, has_hosts: bool = False
) -> dict[str, Column]:
    """All columns of a table in their order, by name.

    Args:
        parameters: the parameters that the scenarios have; the ones of `FACTORS` come first, in its order.
        sources: names of the power sources, the main one first.
        phases: phases that have an energy of their own.
        has_hosts: whether the rows tell their machine.
    """
    sources, phases = list(sources), list(phases)
    others = [name for name in dict.fromkeys(parameters) if name not in FACTORS]
    columns = (
        *IDENTITY,
        *((MACHINE,) if has_hosts else ()),
        *FACTORS.values(),
        *(factor_column(name) for name in others),
        *(column for source in sources for column in energy_columns(source)),
        *(column for source in sources for column in emission_columns(source)),
        *HOST,
        *PERFORMANCE,
        *(phase_column(phase, source) for source in sources for phase in phases),
        *MODEL,
        VERDICT,
    )
    return {column.name: column for column in columns}
