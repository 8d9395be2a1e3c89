"""What the seed's plan takes at full size, computed from measured rates: the tables of `docs/scale.md`.

Pure arithmetic over `model_rates.csv` (images a second: least, median, most; `model_rates.py` measures them) and the
sizes of BigEarthNet. An epoch learns from the train split and classifies the validation split; an execution has its
epochs, and classifies the test split once.

An interval reaches from the fastest rate that was seen to the slowest, and `MODEL` further on both sides, for what the
rates do not know: batches of 200 and 300, larger packs, a machine that becomes warm. Executions are slow or fast
together, so that ends are added, and intervals of sums are not narrower than those of their parts. Energies are time
times a power that is assumed, in watts, for want of a meter: least, middle, most.

    python benchmarks/extrapolate.py [--rates FILE.csv] [--power W W W] [--write docs/scale.md]

Prints Markdown; with `--write` it takes the place of what stands between the two marks in that file.
"""

import argparse
import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from terrawatt.data.bands import RESOLUTIONS, RGB_RESOLUTIONS, Resolution
from terrawatt.data.packformat import SHARD_PATCHES, npy_header

MODEL = 0.05
POWER_W = (80.0, 120.0, 160.0)
BEGIN, END = "<!-- extrapolate: begin -->", "<!-- extrapolate: end -->"
EPOCHS = (10, 20, 30)
BATCHES, LEARNING_RATES = 3, 3
REPETITIONS, WARM_UPS = 10, 1
PACKING = (3_000.0, 700.0)  # patches/s: an archive that lies in memory, one that comes from a disk of 0.1 GB/s
INDEX_BYTES = 18  # of a row of index.parquet, as in the pack of 50,000 of `full_size.py`


@dataclass(frozen=True)
class Archive:
    """A version of BigEarthNet: all patches, and those of its official splits."""

    name: str
    patches: int
    train: int
    validation: int
    test: int


V1 = Archive("v1", 590_326, 269_695, 123_723, 125_866)
V2 = Archive("v2", 480_038 + 69_450, 237_871, 122_342, 119_825)


@dataclass(frozen=True)
class Model:
    """A model of the plan: its name there, its network in the table of rates, and whether its backbone is frozen."""

    name: str
    network: str
    is_frozen: bool = False


MODELS = (
    Model("S-CNN-All", "S-CNN-All"),
    Model("S-CNN-RGB", "S-CNN-RGB"),
    Model("InceptionV3 from scratch", "InceptionV3"),
    Model("InceptionV3 transfer", "InceptionV3 transfer", is_frozen=True),
    Model("InceptionV3 fine-tuning", "InceptionV3"),
)


class Span(NamedTuple):
    """A quantity: least, middle, most."""

    least: float
    middle: float
    most: float

    def plus(self, other: "Span") -> "Span":
        """The sum of two that are small or large together."""
        return Span(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, factor: float) -> "Span":
        """So many of it."""
        return Span(*(value * factor for value in self))

    def of(self, other: "Span") -> "Span":
        """The product of two that do not know of each other: at worst both are at the same end."""
        return Span(*(a * b for a, b in zip(self, other, strict=True)))

    def __str__(self) -> str:
        return f"{number(self.middle)} ({number(self.least)} … {number(self.most)})"


Rates = Mapping[tuple[str, str, str], Span]
IDLE = 0.9  # share of the processors from which on a machine did nothing else


@dataclass(frozen=True)
class Way:
    """How the plan is carried out.

    Attributes:
        name: in words.
        precision: of the network's arithmetic.
        caches: the features of a frozen backbone are computed once (`--cache-features`).
        fraction: of the train split (`--train-fraction`).
        validates: whether each epoch classifies the validation split.
    """

    name: str
    precision: str = "fp32"
    caches: bool = False
    fraction: float = 1.0
    validates: bool = True


WAYS = (
    Way("the defaults (float32)"),
    Way("`--precision bf16`", "bf16"),
    Way("and `--cache-features memory` for the transfer", "bf16", caches=True),
    Way("and a split without validation", "bf16", caches=True, validates=False),
    Way("and `--train-fraction 0.05`, with validation", "bf16", caches=True, fraction=0.05),
    Way("both of the last", "bf16", caches=True, fraction=0.05, validates=False),
)


def read_rates(file: Path) -> Rates:
    """The table of `model_rates.py`."""
    with file.open(encoding="utf-8", newline="") as stream:
        return {
            (row["network"], row["precision"], row["task"]): Span(
                *(float(row[column]) for column in ("least", "median", "most"))
            )
            for row in csv.DictReader(stream)
        }


def read_shares(file: Path) -> list[float]:
    """The share of the processors that each rate was measured with, where that is known."""
    with file.open(encoding="utf-8", newline="") as stream:
        return [float(row["processors"]) for row in csv.DictReader(stream) if row["processors"]]


def hours(images: float, rate: Span) -> Span:
    """How long so many images take: the fastest rate gives the least."""
    return Span(
        images / rate.most / (1 + MODEL) / 3600, images / rate.middle / 3600, images / rate.least * (1 + MODEL) / 3600
    )


def epoch_hours(model: Model, archive: Archive, way: Way, rates: Rates) -> Span:
    """An epoch of learning, and of validation."""
    learning, classifying = (rates[model.network, way.precision, task] for task in ("learning", "classifying"))
    validation = archive.validation if way.validates else 0
    return hours(archive.train * way.fraction, learning).plus(hours(validation, classifying))


def execution_hours(model: Model, archive: Archive, way: Way, epochs: int, rates: Rates) -> Span:
    """Epochs and a test. With cached features each image passes the backbone once; the last layer costs nothing."""
    classifying = rates[model.network, way.precision, "classifying"]
    test = hours(archive.test, classifying)
    if model.is_frozen and way.caches:
        validation = archive.validation if way.validates else 0
        return hours(archive.train * way.fraction + validation, classifying).plus(test)
    return epoch_hours(model, archive, way, rates).times(epochs).plus(test)


def plan_hours(archive: Archive, way: Way, rates: Rates) -> Span:
    """Each of the 135 scenarios once."""
    return total(
        execution_hours(model, archive, way, epochs, rates).times(BATCHES * LEARNING_RATES)
        for model in MODELS
        for epochs in EPOCHS
    )


def total(spans: Iterable[Span]) -> Span:
    """The sum."""
    found = Span(0, 0, 0)
    for span in spans:
        found = found.plus(span)
    return found


def energy_kwh(time_h: Span, power_w: Span) -> Span:
    """Time times power."""
    return time_h.of(power_w).times(1e-3)


def pack_bytes(patches: int, resolutions: Sequence[Resolution]) -> int:
    """The size of a pack's arrays: pixels, and a header in each file."""
    shards = -(-patches // SHARD_PATCHES)
    headers = sum(len(npy_header(SHARD_PATCHES, resolution)) for resolution in resolutions)
    return patches * sum(resolution.patch_bytes for resolution in resolutions) + shards * headers


# --- tables ----------------------------------------------------------------------------------------------------------


def report(rates: Rates, shares: Sequence[float], power_w: Span) -> str:
    """All tables, and what to know of the rates."""
    of_rates = (condition(shares), rate_table(rates))
    of_plan = (epochs_table(rates, power_w), scenarios(rates, power_w), plan(rates, power_w))
    return "\n\n".join((sizes(), *of_rates, *of_plan))


def condition(shares: Sequence[float]) -> str:
    """Whether the rates are those of an idle machine."""
    if not shares:
        return "What share of the processors the process had while the rates were measured was not recorded."
    had = f"While the rates were measured, the process had {min(shares):.0%} to {max(shares):.0%} of the processors"
    if min(shares) >= IDLE:
        return f"{had}: the machine did nothing else."
    return (
        f"{had}: **other programs ran**. An idle machine is faster, and all times and energies below are too large, by "
        f"up to a factor of {1 / min(shares):.1f}; measure again."
    )


def sizes() -> str:
    """Packs on disk."""
    rows = []
    for archive in (V1, V2):
        for name, resolutions in (("12 bands", RESOLUTIONS), ("RGB", RGB_RESOLUTIONS)):
            patch = sum(resolution.patch_bytes for resolution in resolutions)
            minutes = [f"{archive.patches / rate / 60:.0f} min" for rate in PACKING]
            rows.append(
                (
                    f"{archive.name}, {archive.patches:,} patches, {name}",
                    f"{pack_bytes(archive.patches, resolutions) / 1e9:.1f} GB",
                    f"{-(-archive.patches // SHARD_PATCHES)}",
                    f"{archive.patches * INDEX_BYTES / 1e6:.0f} MB",
                    f"{archive.train * patch / 1e9:.1f} GB",
                    *minutes,
                )
            )
    head = ("pack", "arrays", "shards", "index", "train split in memory")
    return table((*head, *(f"packed at {rate:,.0f}/s" for rate in PACKING)), rows)


def rate_table(rates: Rates) -> str:
    """The rates that all follows from."""
    networks = dict.fromkeys(network for network, _, _ in rates)
    columns = [(task, precision) for task in ("learning", "classifying") for precision in ("fp32", "bf16")]
    rows = [(network, *(str(rates[network, way, task]) for task, way in columns)) for network in networks]
    return table(("images/s", *(f"{task}, {precision}" for task, precision in columns)), rows)


def epochs_table(rates: Rates, power_w: Span) -> str:
    """An epoch of each model on v1."""
    rows = []
    for model in MODELS:
        cells = []
        for way in WAYS[:2]:
            time_h = epoch_hours(model, V1, way, rates)
            cells += [str(time_h.times(60)), str(energy_kwh(time_h, power_w))]
        rows.append((model.name, *cells))
    return table(("an epoch of v1", "float32, min", "kWh", "bf16, min", "kWh"), rows)


def scenarios(rates: Rates, power_w: Span) -> str:
    """One execution of each kind of scenario."""
    rows = []
    for model in MODELS:
        for archive in (V1, V2):
            times = [execution_hours(model, archive, WAYS[1], epochs, rates) for epochs in EPOCHS]
            middle = energy_kwh(times[1], power_w)
            rows.append((f"{model.name}, {archive.name}", *map(str, times), str(middle)))
    head = "one execution, bf16, hours"
    return table((head, *(f"{epochs} epochs" for epochs in EPOCHS), f"{EPOCHS[1]} epochs, kWh"), rows)


def plan(rates: Rates, power_w: Span) -> str:
    """The whole plan, and what makes it smaller."""
    executions = REPETITIONS + WARM_UPS
    rows = []
    for way in WAYS:
        cells: list[str] = []
        for archive in (V1, V2):
            days = plan_hours(archive, way, rates).times(1 / 24)
            cells += [str(days), number(days.middle * executions)]
        energy = energy_kwh(plan_hours(V1, way, rates), power_w)
        rows.append((way.name, *cells, str(energy)))
    once = [f"{archive.name}, once, days" for archive in (V1, V2)]
    return table(("135 scenarios", once[0], f"× {executions}", once[1], f"× {executions}", "v1, once, kWh"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Two digits, or all before the point."""
    if value >= 10:
        return f"{value:,.0f}"
    shown = f"{value:.2g}"
    return shown if "e" not in shown else f"{value:.5f}".rstrip("0")


def written(text: str, content: str) -> str:
    """A page with other tables between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"the page has not the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def main(say: Callable[[str], None] = print) -> None:
    """Print the tables, or write them into a page."""
    parser = argparse.ArgumentParser(description="What the seed's plan takes at full size.")
    parser.add_argument("--rates", type=Path, default=Path(__file__).with_name("model_rates.csv"))
    parser.add_argument("--power", type=float, nargs=3, default=POWER_W, metavar="W", help="least, middle, most")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    given = parser.parse_args()
    content = report(read_rates(given.rates), read_shares(given.rates), Span(*given.power))
    if given.write is None:
        say(content)
    else:
        given.write.write_text(written(given.write.read_text(encoding="utf-8"), content), encoding="utf-8")


if __name__ == "__main__":
    main()
