from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import UsageError
from terrawatt.models.registry import MODELS, find
from terrawatt.training.options import (
    DEVICES,
    FEATURE_CACHES,
    LOSSES,
    OPTIMIZERS,
    PRECISIONS,
    SCHEDULES,
    SELECTIONS,
    TrainingOptions,
    from_parameters,
)


def test_the_defaults():
    assert from_parameters({"model": "s-cnn-all"}) == TrainingOptions(
        model="s-cnn-all",
        optim="SGD",
        lr=1e-3,
        loss="BCEWithLogits",
        epochs=10,
        batch=100,
        count=False,
        seed=0,
        labels=19,
        precision="fp32",
        device="auto",
        hidden=128,
        workers=0,
        verify=True,
    )
    assert from_parameters({"model": "inception-v3-scratch"}).hidden is None


def test_the_older_scripts_options_become_ours():
    # What Qanat hands over: texts from a command line, floats from a range.
    given = {"model": "ShortCNN", "rgb": "0", "optim": "sgd", "lr": "0.01", "loss": "BCEWithLogitsLoss"}
    options = from_parameters(given | {"epochs": 10.0, "batch": "300.0", "count": "1", "seed": 3.0, "labels": "43"})
    assert (options.model, options.optim, options.lr, options.loss) == ("s-cnn-all", "SGD", 0.01, "BCEWithLogits")
    assert (options.epochs, options.batch, options.count, options.seed, options.labels) == (10, 300, True, 3, 43)
    assert type(options.epochs) is int
    assert from_parameters({"model": "InceptionV3", "finetune": "1.0"}).model == "inception-v3-finetune"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no model"),
        ({"model": "s-cnn-al"}, "Did you mean s-cnn-all"),
        ({"lr": "fast"}, "--lr fast: not a number"),
        ({"lr": "nan"}, "--lr nan: not a finite number"),
        ({"lr": True}, "--lr True: not a number"),
        ({"lr": 0}, "--lr 0: must be above 0"),
        ({"lr": -0.1}, "--lr -0.1: must be above 0"),
        ({"epochs": "10.5"}, "--epochs 10.5: must be a whole number"),
        ({"epochs": 0}, "--epochs 0: must be at least 1"),
        ({"batch": "many"}, "--batch many: not a number"),
        ({"seed": -1}, "--seed -1: must be at least 0"),
        ({"seed": 2**32}, "--seed 4294967296: must be at most 4294967295"),
        ({"optim": "adan"}, "--optim adan: unknown. Did you mean Adam"),
        ({"loss": "hinge"}, "--loss hinge: unknown. Known: BCEWithLogits, CrossEntropy, MSE"),
        ({"labels": 20}, "--labels 20: must be 19 or 43"),
        ({"train-fraction": 0}, "--train-fraction 0: must be above 0"),
        ({"train-fraction": "110%"}, "--train-fraction 110%: must be a share from 0 to 1"),
        ({"train-fraction": "half"}, "--train-fraction half: not a number"),
        ({"missing-share": 0.1}, "--missing-share 0.1 belongs to --split"),
        ({"precision": "fp8"}, "--precision fp8: unknown"),
        ({"label-smoothing": 1}, "--label-smoothing 1: must be below 1"),
        ({"batch": 2, "accumulate": 3}, "--accumulate 3: more parts than --batch 2"),
        ({"device": "tpu"}, "--device tpu: unknown"),
        ({"count": "maybe"}, "--count maybe: write 1 or 0"),
        ({"batchs": 10}, "unknown option --batchs. Did you mean batch"),
        ({"rgb": 1}, "s-cnn-all reads all 12 bands"),
        ({"weights": "x.pth"}, "s-cnn-all begins with random weights"),
        ({"model": "inception-v3-scratch", "hidden": 128}, "--hidden belongs to S-CNN"),
        ({"warmup-epochs": 10}, "--warmup-epochs 10: must be less than --epochs 10"),
        ({"schedule": "step"}, "--schedule step: unknown. Known: constant, cosine"),
        ({"select": "first"}, "--select first: unknown"),
        ({"patience": 0}, "--patience 0: must be at least 1"),
        ({"class-weights": 1, "loss": "MSE"}, "--class-weights 1 belongs to --loss BCEWithLogits"),
        ({"cache-features": "memory"}, "--cache-features memory: s-cnn-all has no frozen backbone"),
        (
            {"model": "inception-v3-transfer", "cache-features": "disk", "augment": "flips"},
            "--cache-features disk: --augment flips changes the images each epoch",
        ),
        ({"cache-features": "gpu"}, "--cache-features gpu: unknown. Known: none, memory, disk"),
        ({"bands": "rgb"}, "s-cnn-all reads all 12 bands; leave it out"),
        ({"model": "torchvision:resnet18", "bands": "nir"}, "--bands nir: unknown. Known: all, rgb"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, message):
    with pytest.raises(UsageError) as caught:
        from_parameters(({"model": "s-cnn-all"} if given else {}) | given)
    assert message in str(caught.value)


def test_parameters_are_what_defines_the_scenario():
    given = {"model": "s-cnn-rgb", "data": "/somewhere", "device": "cpu", "verify": 0, "seed": 4, "count": 1}
    assert from_parameters(given).parameters() == {
        "model": "s-cnn-rgb",
        "optim": "SGD",
        "loss": "BCEWithLogits",
        "lr": 0.001,
        "batch": 100,
        "epochs": 10,
        "seed": 4,
        "labels": 19,
        "precision": "fp32",
        "hidden": 128,
    }
    more = from_parameters({"model": "s-cnn-rgb", "threads": 2, "workers": 1, "nproc": 2})
    assert more.parameters().keys() >= {"threads", "workers", "nproc"}


def test_a_model_of_torchvision_reads_all_bands_unless_told():
    assert not from_parameters({"model": "torchvision:resnet18"}).spec.rgb_only
    rgb = from_parameters({"model": "torchvision:resnet18", "bands": "rgb"})
    assert rgb.spec.rgb_only
    assert rgb.parameters()["bands"] == "rgb"


def read_argv(argv: tuple[str, ...]) -> TrainingOptions:
    return from_parameters({name[2:]: value for name, value in zip(argv[::2], argv[1::2], strict=True)})


@st.composite
def any_options(draw) -> TrainingOptions:
    spec = find(draw(st.sampled_from([*MODELS, "torchvision:resnet18"])))
    given = {
        "model": spec.name,
        "optim": draw(st.sampled_from(OPTIMIZERS)),
        "lr": draw(st.floats(1e-12, 1e3)),
        "loss": draw(st.sampled_from(LOSSES)),
        "epochs": draw(st.integers(1, 1000)),
        "batch": draw(st.integers(1, 1000)),
        "count": draw(st.booleans()),
        "labels": draw(st.sampled_from([19, 43])),
        "precision": draw(st.sampled_from(PRECISIONS)),
        "workers": draw(st.integers(0, 8)),
        "device": draw(st.sampled_from(DEVICES)),
        "data": "packs/a pack",
    }
    if spec.takes_hidden:
        given["hidden"] = draw(st.integers(0, 512))
    if spec.takes_bands:
        given["bands"] = draw(st.sampled_from(["all", "rgb"]))
    if spec.takes_weights:
        given["weights"] = "some weights.pth"
    if spec.has_frozen_backbone:
        given["cache-features"] = draw(st.sampled_from(FEATURE_CACHES))
    given["schedule"], given["select"] = draw(st.sampled_from(SCHEDULES)), draw(st.sampled_from(SELECTIONS))
    given["warmup-epochs"] = draw(st.integers(0, given["epochs"] - 1))
    given["class-weights"] = int(given["loss"] == "BCEWithLogits" and draw(st.booleans()))
    if draw(st.booleans()):
        given["patience"] = draw(st.integers(1, 20))
    given["train_fraction"] = draw(st.floats(1e-6, 1))
    given["nproc"] = draw(st.integers(1, min(given["batch"], 4)))
    if draw(st.booleans()):
        given["threads"] = draw(st.integers(given["nproc"], 64))
    return from_parameters(given)


@given(any_options())
def test_the_arguments_mean_the_same_options(options):
    assert read_argv(options.argv()) == options


@given(any_options())
def test_the_parameters_mean_the_same_scenario(options):
    assert from_parameters(options.parameters()).parameters() == options.parameters()


def test_seed_and_checksums_are_left_to_the_caller():
    argv = from_parameters({"model": "s-cnn-rgb", "seed": 3, "verify": False, "data": Path("p").name}).argv()
    assert not {"--seed", "--verify", "--no-verify", "--out"} & set(argv)
