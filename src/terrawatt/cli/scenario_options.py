"""The options of a scenario, which `terrawatt train` and `terrawatt run` share.

A command takes them all as one argument:

    @takes_scenario
    def train(scenario: Given, out: Annotated[Path, typer.Option("--out")]) -> None: ...

`scenario` holds only what was given, name -> text; `training.options.from_parameters` reads and checks it, with the
same rules as for a parameter file.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

Given = dict[str, str]

_PANEL = "Scenario"

# name -> (how its value is shown, help)
_OPTIONS: dict[str, tuple[str, str]] = {
    "model": (
        "NAME",
        "A model of docs/models.md: s-cnn-all, torchvision:NAME, …; also ShortCNN --rgb 1, InceptionV3 --finetune 0.",
    ),
    "optim": ("NAME", "Optimizer: SGD (default), Adam or AdamW."),
    "lr": ("NUMBER", "Learning rate; default 0.001."),
    "loss": ("NAME", "BCEWithLogits (default), CrossEntropy or MSE."),
    "epochs": ("N", "Passes over the train split; default 10."),
    "batch": ("N", "Images in a batch; default 100."),
    "count": ("0|1", "1: record the floating-point operations of one image; default 0."),
    "rgb": ("0|1", "With ShortCNN. 1: B04, B03, B02; 0: all 12 bands."),
    "finetune": ("0|1|2", "With InceptionV3. 0: transfer; 1: fine-tune; 2: from scratch."),
    "schedule": ("constant|cosine", "Of the learning rate: constant (default), or along half a cosine to 0."),
    "warmup-epochs": ("N", "Epochs over which the learning rate rises from 0; default 0."),
    "class-weights": ("0|1", "1: weigh the positives of rare labels more; default 0. With BCEWithLogits."),
    "select": ("last|best", "Whose weights are tested: of the last epoch (default), or of the best by validation."),
    "patience": ("N", "Stop after N epochs without a better one by validation; default: never."),
    "checkpoint": ("FILE", "Write what was learnt into a file; with repetitions each replaces it."),
    "test-only": ("CHECKPOINT", "Test what such a file holds, without training."),
    "hidden": ("N", "Width of S-CNN's fully connected layer, 0 for none; default 128."),
    "bands": ("all|rgb", "Bands that a model of torchvision reads; default all."),
    "seed": ("N", "Seed of everything random; default 0."),
    "labels": ("19|43", "Which BigEarthNet labels; default 19."),
    "precision": ("fp32|bf16|tf32|fp16", "fp32 (default), or bf16 by autocast; on GPUs also tf32 and fp16."),
    "memory-format": ("NAME", "channels_last (default) or contiguous."),
    "compile": ("0|1", "1: torch.compile makes the network's program; default 0."),
    "allocator": ("tuned|system", "tuned (default): memory is kept between steps; system: the C library's own way."),
    "deterministic": ("0|1", "1 (default): on a GPU, algorithms that give the same sums each time."),
    "accumulate": ("N", "Learn from a batch in N parts, where the whole does not fit; default 1."),
    "shuffle": ("full|shards", "full (default), or shards: mix images that lie near each other, for large packs."),
    "label-smoothing": ("X", "How much less sure the targets are, from 0 (default) to below 1."),
    "augment": ("none|flips", "flips: each image flipped and turned by quarters at random; default none."),
    "cache-features": (
        "none|memory|disk",
        "Compute a frozen backbone's features once and train on them; default none. With inception-v3-transfer.",
    ),
    "threads": ("N", "Threads of torch, of all processes; default: as many as torch finds good."),
    "workers": ("N", "Threads that read batches ahead; 0 (default): read in the loop."),
    "nproc": ("N", "Processes that train together on this machine, each on its part of a batch; default 1."),
    "device": ("auto|cpu|cuda", "auto (default): cuda where there is one."),
    "weights": ("FILE", "ImageNet weights of InceptionV3; default: where torchvision keeps them."),
    "data": ("PACK", "The pack to train on; default: data.pack of the settings."),
    "split": ("FILE", "A split made by `terrawatt data split`, instead of the pack's own."),
    "missing-share": ("X", "Share of that split's patches that the pack may lack; default 0."),
    "train-fraction": ("X", "Learn from this share of the train split, labels in proportion; default 1."),
}

NAMES = tuple(_OPTIONS)


def takes_scenario(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a scenario; its first parameter, `scenario`, gets those that were given."""

    @wraps(command)
    def with_options(**arguments: Any) -> None:
        given = {name: arguments.pop(name.replace("-", "_")) for name in _OPTIONS}
        command({name: value for name, value in given.items() if value is not None}, **arguments)

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    parameters = [*map(_parameter, _OPTIONS), *own]
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    with_options.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del with_options.__wrapped__
    return with_options


def _parameter(name: str) -> inspect.Parameter:
    metavar, help_text = _OPTIONS[name]
    option = typer.Option(f"--{name}", metavar=metavar, help=help_text, rich_help_panel=_PANEL)
    annotation = Annotated[str | None, option]
    identifier = name.replace("-", "_")
    return inspect.Parameter(identifier, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
