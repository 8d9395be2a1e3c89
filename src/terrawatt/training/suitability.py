"""Whether a pack can serve a training: asked before hours of it, and before anything is measured. Free of torch."""

from pathlib import Path

from terrawatt.data.pack import Pack
from terrawatt.errors import ModelError, TrainingError
from terrawatt.training.options import TrainingOptions
from terrawatt.training.rows import rows_of_parts, train_size


def check_pack(options: TrainingOptions, pack: Pack) -> None:
    """See that a pack has the labels and images that a training needs.

    Raises:
        PackError: it has not the labels that are asked for.
        DataError: the split file cannot be used with it.
        ModelError: the checkpoint to test has learnt other classes.
        TrainingError: the train or test split is empty, or the validation split that must decide something; or a batch
            is larger than the train split.
    """
    class_names = pack.class_names(options.labels)
    if not (options.spec.rgb_only or pack.has_all_bands):
        raise TrainingError(f"{pack.path} holds B04, B03, B02 alone, and {options.model} reads more; pack all bands")
    if options.test_only is not None:
        _check_test(options, options.test_only, class_names, pack)
        return
    rows, _ = rows_of_parts(options, pack)
    for split in ("train", "test"):
        if not len(rows[split]):
            raise TrainingError(_empty(options, pack.path, split))
    if options.needs_validation and not len(rows["validation"]):
        what = "--select best" if options.select == "best" else f"--patience {options.patience}"
        raise TrainingError(f"{what} needs validation: {_empty(options, pack.path, 'validation')}")
    if options.batch > (size := train_size(options, rows)):
        raise TrainingError(
            f"--batch {options.batch} is larger than the train split of {size} images; give at most that"
        )
    if options.batch == 1 and options.spec.has_batch_norm:
        raise TrainingError(f"--batch 1: batch normalisation of {options.model} needs at least 2 images")


def _check_test(options: TrainingOptions, checkpoint: Path, class_names: tuple[str, ...], pack: Pack) -> None:
    """See that a checkpoint's classes are those of a pack, in the same order, and that there is something to test."""
    from terrawatt.training.checkpoint_header import read_header

    learnt = read_header(checkpoint).class_names
    if learnt != class_names:
        differing = next((pair for pair in zip(learnt, class_names, strict=False) if pair[0] != pair[1]), None)
        what = f"{differing[0]!r} for {differing[1]!r}" if differing else f"{len(learnt)} for {len(class_names)}"
        raise ModelError(
            f"{checkpoint}: its classes are not those of {pack.path} ({what}); test it on such as it learnt"
        )
    if not len(rows_of_parts(options, pack)[0]["test"]):
        raise TrainingError(_empty(options, pack.path, "test"))


def _empty(options: TrainingOptions, path: Path, split: str) -> str:
    if options.split is not None:
        return f"{options.split.path}: the {split} part is empty; give another split"
    return (
        f"{path}: the {split} split is empty; pack the data with its splits (v1: terrawatt data pack --splits DIR; "
        "v2: the column `split` of metadata.parquet)"
    )
