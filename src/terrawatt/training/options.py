"""The options of a training: from option names and texts to one checked record, and back to an argument list.

Everything that can name a training (the command line, a parameter file, an older script's options) comes through
`from_parameters`, so that each value is read in one way. Nothing of torch is imported here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrawatt.errors import UsageError, did_you_mean
from terrawatt.models.names import canonical_name
from terrawatt.models.registry import ALL, DEFAULT_HIDDEN, RGB, ModelSpec, find, near_names
from terrawatt.records import Scalar
from terrawatt.training import values
from terrawatt.training.split_choice import SplitChoice, read_choice

OPTIMIZERS = ("SGD", "Adam", "AdamW")
LOSSES = ("BCEWithLogits", "CrossEntropy", "MSE")
PRECISIONS = ("fp32", "bf16", "tf32", "fp16")
GPU_PRECISIONS = ("tf32", "fp16")
MEMORY_FORMATS = ("channels_last", "contiguous")
ALLOCATORS = ("tuned", "system")
SHUFFLES = ("full", "shards")
AUGMENTATIONS = ("none", "flips")
FEATURE_CACHES = ("none", "memory", "disk")
SELECTIONS = ("last", "best")
SCHEDULES = ("constant", "cosine")
DEVICES = ("auto", "cpu", "cuda")
LABEL_COUNTS = (19, 43)
LARGEST_SEED = 2**32 - 1  # what numpy's global generator takes


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What is trained, how, and where. Made by `from_parameters`, which checks it.

    Attributes:
        model: a name that `models.registry.find` knows.
        optim: one of `OPTIMIZERS`.
        lr: learning rate.
        loss: one of `LOSSES`.
        epochs: passes over the train split.
        batch: images in a batch.
        count: record the number of floating-point operations.
        seed: of the weights, the order of the images and everything else random.
        labels: 19 or 43.
        precision: `fp32`, or `bf16` by autocast; on GPUs also `tf32`, and `fp16` by autocast.
        memory_format: of images and weights, one of `MEMORY_FORMATS`.
        compile: have torch.compile make the network's program.
        allocator: `tuned` keeps memory between steps (`training.allocator`), `system` leaves the C library alone.
        deterministic: on a GPU, take the algorithms that give the same sums each time.
        accumulate: parts in which a batch is learnt from, one after another.
        shuffle: `full`, or `shards`: only images that lie near each other are mixed (`training.loader`).
        label_smoothing: how much less sure the targets are, in [0, 1).
        augment: `none`, or `flips`: each image flipped and turned by quarters at random.
        cache_features: where the features of a frozen backbone are kept for all epochs, one of `FEATURE_CACHES`.
        threads: of torch, shared by the processes; None: as many as torch finds good.
        workers: threads that read batches ahead; 0: read in the loop.
        nproc: processes that train together, on one batch each a part.
        device: `auto`, `cpu` or `cuda`.
        schedule: of the learning rate, `constant` or `cosine`, after the warm-up.
        warmup_epochs: epochs over which the learning rate rises from 0.
        class_weights: weigh the positives of rare labels more (`objectives.class_weights`).
        select: which epoch's weights are tested, the `last` or the `best` by validation.
        patience: stop after so many epochs without a better one; None: never.
        checkpoint: file for what was learnt; None: it is not kept.
        test_only: a checkpoint that is tested, without training.
        hidden: width of S-CNN's fully connected layer, 0 for none; None for other models.
        bands: `all` or `rgb`, of a model of torchvision; None for other models, which say it by their names.
        weights: file of ImageNet weights; None: where torchvision keeps them.
        data: the pack.
        split: file of the split that takes the place of the pack's own.
        missing_share: share of that split's patches that the pack may lack.
        train_fraction: share of the train split that is learnt from, with the labels in proportion.
        verify: check the pack's checksums first.
    """

    model: str
    optim: str = "SGD"
    lr: float = 1e-3
    loss: str = "BCEWithLogits"
    epochs: int = 10
    batch: int = 100
    count: bool = False
    seed: int = 0
    labels: int = 19
    precision: str = "fp32"
    memory_format: str = "channels_last"
    compile: bool = False
    allocator: str = "tuned"
    deterministic: bool = True
    accumulate: int = 1
    shuffle: str = "full"
    label_smoothing: float = 0.0
    augment: str = "none"
    cache_features: str = "none"
    threads: int | None = None
    workers: int = 0
    nproc: int = 1
    device: str = "auto"
    schedule: str = "constant"
    warmup_epochs: int = 0
    class_weights: bool = False
    select: str = "last"
    patience: int | None = None
    checkpoint: Path | None = None
    test_only: Path | None = None
    hidden: int | None = None
    bands: str | None = None
    weights: Path | None = None
    data: Path | None = None
    split: SplitChoice | None = None
    missing_share: float = 0.0
    train_fraction: float = 1.0
    verify: bool = True

    @property
    def needs_validation(self) -> bool:
        """Whether the validation split decides something."""
        return self.select == "best" or self.patience is not None

    @property
    def spec(self) -> ModelSpec:
        """The model's entry in the registry, for the bands that it is to read."""
        return find(self.model).reading(self.bands)

    def parameters(self) -> dict[str, Scalar]:
        """What defines the scenario: all that changes what is computed, not where its files lie.

        Nothing of training where a checkpoint is tested: that is named instead.
        """
        names = ("model", "optim", "loss", "lr", "batch", "epochs", "seed", "labels", "precision")
        is_test = self.test_only is not None
        parameters: dict[str, Scalar] = {
            name: getattr(self, name) for name in names if not (is_test and name in _OF_TRAINING)
        }
        optional = {
            "hidden": self.hidden,
            "bands": self.bands,
            "threads": self.threads,
            "workers": self.workers or None,
            "nproc": self.nproc if self.nproc > 1 else None,
            "memory-format": self.memory_format if self.memory_format != "channels_last" else None,
            "compile": int(self.compile) or None,
            "allocator": self.allocator if self.allocator != "tuned" else None,
            "deterministic": None if self.deterministic else 0,
            "accumulate": self.accumulate if self.accumulate > 1 else None,
            "shuffle": self.shuffle if self.shuffle != "full" else None,
            "label-smoothing": self.label_smoothing or None,
            "augment": self.augment if self.augment != "none" else None,
            "cache-features": self.cache_features if self.cache_features != "none" else None,
            "schedule": self.schedule if self.schedule != "constant" else None,
            "warmup-epochs": self.warmup_epochs or None,
            "class-weights": int(self.class_weights) or None,
            "select": self.select if self.select != "last" else None,
            "patience": self.patience,
            "split": None if self.split is None else self.split.digest,
            "train-fraction": self.train_fraction if self.train_fraction < 1 else None,
            "test-only": None if self.test_only is None else str(self.test_only),
        }
        return parameters | {name: value for name, value in optional.items() if value is not None}

    def argv(self) -> tuple[str, ...]:
        """These options as arguments of `terrawatt train`; `--seed`, `--out` and `--no-verify` are the caller's."""
        settings = {name: value for name, value in self.settings().items() if name != "seed"}
        return tuple(part for name, value in settings.items() for part in (f"--{name}", str(value)))

    def settings(self) -> dict[str, Scalar]:
        """The parameters, and where files lie and work is done: all that `from_parameters` needs except `verify`."""
        settings = self.parameters() | {"device": self.device, "count": int(self.count)}
        paths = {"weights": self.weights, "data": self.data, "checkpoint": self.checkpoint}
        settings |= {name: str(path) for name, path in paths.items() if path is not None}
        if self.split is not None:
            settings |= {"split": str(self.split), "missing-share": self.missing_share}
        return settings


def from_parameters(parameters: Mapping[str, Scalar]) -> TrainingOptions:
    """Options from names (without leading dashes, words joined by `-` or `_`) and values, as numbers or as texts.

    Whole numbers may be written `10.0`, truth values `1/0/True/False/yes/no`, other words in any case. The older
    scripts' names of models, with `rgb` and `finetune`, become ours (`models.names`).

    Raises:
        UsageError: an unknown name (names the near ones), a value that cannot be meant, or a missing model.
        ModelError: the checkpoint to test is none, or damaged.
    """
    given: dict[str, Any] = {}
    for written, value in parameters.items():
        name = written.replace("_", "-")
        if name not in _READERS:
            raise UsageError(f"unknown option --{name}.{did_you_mean(name, list(_READERS))}")
        given[name.replace("-", "_")] = _READERS[name](f"--{name} {value}", value)
    given = _as_checkpoint(given) if "test_only" in given else given
    if "model" not in given:
        raise UsageError(f"no model: name one with --model.{near_names('')}")
    given["model"] = canonical_name(given["model"], rgb=given.pop("rgb", None), finetune=given.pop("finetune", None))
    spec = find(given["model"])
    if "hidden" in given and not spec.takes_hidden:
        raise UsageError(f"--hidden belongs to S-CNN: leave it out with {spec.name}")
    if "bands" in given and not spec.takes_bands:
        reads = "B04, B03, B02" if spec.rgb_only else "all 12 bands"
        raise UsageError(f"--bands belongs to models of torchvision: {spec.name} reads {reads}; leave it out")
    if "weights" in given and not spec.takes_weights:
        raise UsageError(f"--weights: {spec.name} begins with random weights; leave it out")
    if spec.takes_hidden:
        given.setdefault("hidden", DEFAULT_HIDDEN)
    if spec.takes_bands:
        given.setdefault("bands", ALL)
    options = TrainingOptions(**given)
    _refuse_idle_processes(options)
    _refuse_idle_choices(options)
    return options


def _as_checkpoint(given: dict[str, Any]) -> dict[str, Any]:
    """The options of testing a checkpoint: what it says of itself, and what was given beside it."""
    from terrawatt.training.checkpoint_header import read_header

    path = given["test_only"]
    if idle := sorted(_OF_TRAINING & given.keys()):
        name = idle[0].replace("_", "-")
        raise UsageError(f"--{name} belongs to training: leave it out with --test-only")
    header = read_header(path)
    known: dict[str, Any] = {name: getattr(header, name) for name in ("model", "hidden", "bands", "labels")}
    if "model" in given:
        given["model"] = canonical_name(
            given["model"], rgb=given.pop("rgb", None), finetune=given.pop("finetune", None)
        )
    for name, value in known.items():
        if given.get(name, value) != value:
            raise UsageError(f"{path}: a checkpoint with --{name} {value}, not {given[name]}; leave --{name} out")
    return {**given, **{name: value for name, value in known.items() if value is not None}, "loss": header.loss}


def _refuse_idle_processes(options: TrainingOptions) -> None:
    for name, number in (("batch", options.batch), ("threads", options.threads)):
        if number is not None and number < options.nproc:
            raise UsageError(f"--nproc {options.nproc}: more processes than --{name} {number}; each needs one at least")


def _refuse_idle_choices(options: TrainingOptions) -> None:
    if options.missing_share and options.split is None:
        raise UsageError(f"--missing-share {options.missing_share:g} belongs to --split; leave it out")
    if options.warmup_epochs and options.warmup_epochs >= options.epochs:
        raise UsageError(f"--warmup-epochs {options.warmup_epochs}: must be less than --epochs {options.epochs}")
    if options.label_smoothing == 1:
        raise UsageError("--label-smoothing 1: must be below 1, or the labels say nothing")
    if options.accumulate > options.batch:
        raise UsageError(f"--accumulate {options.accumulate}: more parts than --batch {options.batch} has images")
    if options.class_weights and options.loss != "BCEWithLogits":
        raise UsageError(f"--class-weights 1 belongs to --loss BCEWithLogits; leave it out with {options.loss}")
    if options.cache_features != "none":
        _refuse_changing_features(options)


def _refuse_changing_features(options: TrainingOptions) -> None:
    written = f"--cache-features {options.cache_features}"
    if not options.spec.has_frozen_backbone:
        raise UsageError(f"{written}: {options.model} has no frozen backbone, all of it learns; leave it out")
    if options.augment != "none":
        raise UsageError(f"{written}: --augment {options.augment} changes the images each epoch; leave one of them out")


# What a test of a checkpoint does not have.
_OF_TRAINING = frozenset(
    {
        "optim",
        "loss",
        "lr",
        "epochs",
        "schedule",
        "warmup_epochs",
        "class_weights",
        "select",
        "patience",
        "train_fraction",
        "accumulate",
        "shuffle",
        "label_smoothing",
        "augment",
        "cache_features",
    }
    | {"checkpoint", "weights"}
)

_READERS: Mapping[str, values.Reader] = {
    "model": values.text,
    "optim": values.one_of(OPTIMIZERS),
    "lr": values.positive_number,
    "loss": values.one_of(LOSSES, ending="loss"),  # also as torch calls it, BCEWithLogitsLoss
    "epochs": values.whole(1),
    "batch": values.whole(1),
    "count": values.flag,
    "rgb": values.flag,
    "finetune": values.whole(0),
    "schedule": values.one_of(SCHEDULES),
    "warmup-epochs": values.whole(0),
    "class-weights": values.flag,
    "select": values.one_of(SELECTIONS),
    "patience": values.whole(1),
    "checkpoint": values.path,
    "test-only": values.path,
    "hidden": values.whole(0),
    "bands": values.one_of((ALL, RGB)),
    "seed": values.whole(0, LARGEST_SEED),
    "labels": values.one_number_of(LABEL_COUNTS),
    "precision": values.one_of(PRECISIONS),
    "memory-format": values.one_of(MEMORY_FORMATS),
    "compile": values.flag,
    "allocator": values.one_of(ALLOCATORS),
    "deterministic": values.flag,
    "accumulate": values.whole(1),
    "shuffle": values.one_of(SHUFFLES),
    "label-smoothing": values.share,
    "augment": values.one_of(AUGMENTATIONS),
    "cache-features": values.one_of(FEATURE_CACHES),
    "threads": values.whole(1),
    "workers": values.whole(0),
    "nproc": values.whole(1),
    "device": values.one_of(DEVICES),
    "weights": values.path,
    "data": values.path,
    "split": read_choice,
    "missing-share": values.share,
    "train-fraction": values.positive_share,
    "verify": values.flag,
}
