"""The scores of one repetition, from the arrays that its workload left in `output/`, and the size of its model."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrawatt.analysis.scores import scores
from terrawatt.analysis.table import PERFORMANCE
from terrawatt.analysis.verdict import missing_verdict
from terrawatt.errors import AnalysisError
from terrawatt.records import Severity, Verdict
from terrawatt.runs.layout import RunFolder
from terrawatt.summary.cells import Cells

_GROUP = "performance"  # stands for all columns of scores: they are missing together
NOT_REPORTED = "the workload reports none"
_COUNTS = {"Parameters": "parameters", "FLOPs": "flops", "Train images": "n_train", "Test images": "n_test"}


def performance_cells(folder: RunFolder, repetition: int) -> Cells:
    """The scores of one repetition."""
    path = folder.output_of(repetition, "probabilities.npy")
    if not path.exists():
        return _reported_scores(folder.output_of(repetition, "scores.csv"))
    try:
        found = scores(_array(path), _array(folder.output / "targets.npy"))
    except AnalysisError as error:
        return _empty(str(error))
    values = {name: value for name, value in found.values.items() if np.isfinite(value)}
    if len(values) < len(found.values):
        return Cells(values, (missing_verdict(_GROUP, "no label occurs in the test set"),))
    return Cells(values, _remarks(found.empty_labels))


def model_cells(folder: RunFolder, repetition: int) -> Cells:
    """`Parameters`, when they were counted `FLOPs`, the epochs that were done, and the sizes of the splits."""
    path = folder.output_of(repetition, "training.json")
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Cells(verdicts=(missing_verdict("Parameters", NOT_REPORTED),))
    except (OSError, ValueError) as error:
        return Cells(verdicts=(missing_verdict("Parameters", f"{path.name} cannot be read ({error})"),))
    counts = {column: _count(record, key) for column, key in _COUNTS.items()}
    counts |= {"Epochs done": _epochs_done(record), "Test labels": _test_labels(folder)}
    verdicts = () if counts["Parameters"] is not None else (missing_verdict("Parameters", f"not in {path.name}"),)
    return Cells(counts, verdicts)


def _reported_scores(path: Path) -> Cells:
    """Scores that the workload computed itself: the last line of a CSV file whose columns are called as the table's."""
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except FileNotFoundError:
        return _empty(NOT_REPORTED)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return _empty(f"{path.name} cannot be read ({error})")
    known = {column.name.lower(): column.name for column in PERFORMANCE}
    given = {
        known[name.lower()]: value for name, value in (rows[-1] if rows else {}).items() if str(name).lower() in known
    }
    values = {name: number for name, value in given.items() if (number := _share(value)) is not None}
    missing = [name for name in known.values() if name not in values]
    if not values:
        return _empty(f"{path.name} holds no score of the table")
    return Cells(values, tuple(missing_verdict(name, f"not in {path.name}") for name in missing))


def _share(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _array(path: Path) -> NDArray[Any]:
    """An array of a file, without unpickling anything.

    Raises:
        AnalysisError: it is not there, or not such an array.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        what = "missing" if isinstance(error, FileNotFoundError) else f"not an array of numpy ({error})"
        raise AnalysisError(f"{path.name}: {what}") from error
    if not isinstance(array, np.ndarray) or not (np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_):
        raise AnalysisError(f"{path.name}: not an array of numbers")
    return array


def _count(record: Any, key: str) -> int | None:
    value = record.get(key) if isinstance(record, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _epochs_done(record: Any) -> int | None:
    history = record.get("history") if isinstance(record, Mapping) else None
    return len(history) if isinstance(history, list) and history else None


def _test_labels(folder: RunFolder) -> int | None:
    """How many labels the images of the test split have, together."""
    try:
        return int(np.count_nonzero(_array(folder.output / "targets.npy")))
    except AnalysisError:  # said by the scores, which need it too
        return None


def _remarks(empty_labels: tuple[int, ...]) -> tuple[Verdict, ...]:
    if not empty_labels:
        return ()
    message = f"{len(empty_labels)} labels occur in no test image and are left out of the macro averages"
    return (Verdict("empty-labels", Severity.NOTE, message, "use a larger test set to score them"),)


def _empty(reason: str) -> Cells:
    return Cells(verdicts=(missing_verdict(_GROUP, reason),))
