"""Whether a pack can serve a training: asked before hours of it, and before anything is measured. Free of torch."""

from pathlib import Path

from terrawatt.data.pack import Pack
from terrawatt.errors import TrainingError
from terrawatt.training.options import TrainingOptions


def check_pack(options: TrainingOptions, pack: Pack) -> None:
    """See that a pack has the labels and images that a training needs.

    Raises:
        PackError: it has not the labels that are asked for.
        TrainingError: the train or test split is empty, or the validation split that must decide something; or a batch
            is larger than the train split.
    """
    pack.class_names(options.labels)
    sizes = {split: len(pack.rows(split)) for split in ("train", "test")}
    for split, size in sizes.items():
        if not size:
            raise TrainingError(_empty(pack.path, split))
    if options.needs_validation and not len(pack.rows("validation")):
        what = "--select best" if options.select == "best" else f"--patience {options.patience}"
        raise TrainingError(f"{what} needs validation: {_empty(pack.path, 'validation')}")
    if options.batch > sizes["train"]:
        raise TrainingError(
            f"--batch {options.batch} is larger than the train split of {sizes['train']} images; give at most that"
        )
    if options.batch == 1 and options.spec.has_batch_norm:
        raise TrainingError(f"--batch 1: batch normalisation of {options.model} needs at least 2 images")


def _empty(path: Path, split: str) -> str:
    return (
        f"{path}: the {split} split is empty; pack the data with its splits (v1: terrawatt data pack --splits DIR; "
        "v2: the column `split` of metadata.parquet)"
    )
