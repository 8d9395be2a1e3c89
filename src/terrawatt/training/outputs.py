"""What a training leaves: probabilities, targets, patch ids as `.npy`, and `training.json`. All of them, or none.

The names carry the repetition's number where there is one; targets and patch ids are the same for all repetitions of
a scenario and are written once.
"""

import io
import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrawatt.errors import TrainingError
from terrawatt.runs.atomic import replacing


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """The output folder of one training.

    Attributes:
        folder: where the files go; made when missing.
        targets: multi-hot labels of the test split, uint8 (n_test, n_classes).
        patch_ids: names of its patches, (n_test,).
        repetition: number in the files' names; None for none.
    """

    folder: Path
    targets: NDArray[np.uint8]
    patch_ids: NDArray[np.str_]
    repetition: int | None = None

    def check(self) -> None:
        """See, before hours of training, that the outputs can go there; a training that fails leaves no folder.

        Raises:
            TrainingError: it cannot be written, or holds outputs of another test split.
        """
        is_new = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
            if is_new:
                self.folder.rmdir()
        except OSError as error:
            raise self._unwritable(error) from error
        self._missing_shared_files()

    def write(self, probabilities: NDArray[np.float32], record: Mapping[str, Any]) -> None:
        """Write all files; each appears whole, and when one cannot be written none does.

        Args:
            probabilities: of the test split, float32 (n_test, n_classes).
            record: the content of `training.json`.

        Raises:
            TrainingError: they cannot be written, or the folder holds outputs of another test split.
        """
        contents = {
            self._name("probabilities.npy"): _npy(probabilities),
            self._name("training.json"): json.dumps(record, indent=2, allow_nan=False).encode() + b"\n",
            **{name: _npy(array) for name, array in self._missing_shared_files().items()},
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as stack:  # the files take their places when all have been written
                for name, content in contents.items():
                    file = stack.enter_context(replacing(self.folder / name))
                    file.write(content)
                    file.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def _name(self, name: str) -> str:
        return name if self.repetition is None else f"repetition_{self.repetition}_{name}"

    def _missing_shared_files(self) -> dict[str, NDArray[Any]]:
        """The files of the test split that are not there yet; those that are must hold the same."""
        shared: dict[str, NDArray[Any]] = {"targets.npy": self.targets, "patch_ids.npy": self.patch_ids}
        missing = {name: array for name, array in shared.items() if not (self.folder / name).exists()}
        for name in shared.keys() - missing.keys():
            if not np.array_equal(_read(self.folder / name), shared[name]):
                raise TrainingError(
                    f"{self.folder / name}: of another test split than this training's; give another folder with --out"
                )
        return missing

    def _unwritable(self, error: OSError) -> TrainingError:
        return TrainingError(
            f"{self.folder}: the outputs cannot be written ({error.strerror or error}); "
            "free space there, or give another folder with --out"
        )


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _read(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise TrainingError(f"{path}: not an array of numpy ({error}); remove it, or give another --out") from error
    return array
