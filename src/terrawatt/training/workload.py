"""The workload from its options to its outputs: what `terrawatt train` runs, training or testing alone."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from terrawatt import __version__
from terrawatt.data.splitfile import read_provenance
from terrawatt.errors import TrainingError, UsageError
from terrawatt.records import PhaseName
from terrawatt.runs.atomic import sha256
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.allocator import is_tuned
from terrawatt.training.checkpoint import check_target, write_checkpoint
from terrawatt.training.collective import joined
from terrawatt.training.compute import device_of
from terrawatt.training.features import keeping_features
from terrawatt.training.flops import forward_flops
from terrawatt.training.group import ALONE, Group
from terrawatt.training.loop import Outcome, evaluate, fit
from terrawatt.training.memory import explaining_memory, is_out_of_memory
from terrawatt.training.options import TrainingOptions
from terrawatt.training.outputs import Outputs
from terrawatt.training.setup import Say, Training, open_pack, open_splits, prepare

RECORD_VERSION = 1


def run(
    options: TrainingOptions,
    folder: Path,
    *,
    repetition: int | None = None,
    phases: PhaseReporter | None = None,
    start_ns: int | None = None,
    say: Say = print,
    group: Group = ALONE,
) -> Outcome:
    """Train, test, and write the outputs; nothing is written when anything fails.

    Of several processes the first alone speaks, reports and writes.

    Args:
        options: what to train.
        folder: of the outputs, made when missing.
        repetition: number in the outputs' names; None for none.
        phases: hears of each phase; None: nobody does.
        start_ns: when the setup began, if before this call (the import of torch takes seconds).
        say: gets each line for people.
        group: the place of this process among those that train together (`launch` starts them, or torchrun).

    Raises:
        UsageError, PackError, ModelError, TrainingError: see `setup`, `loop` and `outputs`.
    """
    if options.nproc != group.size:
        raise UsageError(f"--nproc {options.nproc}, but this is one of {group.size} processes; leave --nproc out")
    if not group.is_first:
        options, phases, say = replace(options, verify=False), None, _silent
    phases = phases or PhaseReporter()
    with _explaining_setup(options), joined(group, device_of(options, group)), ExitStack() as kept:
        with phases.phase(PhaseName.SETUP, start_ns=start_ns):
            pack = open_pack(options, say)
            splits = open_splits(options, pack, say, group)
            outputs = Outputs(folder, splits.test.targets, pack.patch_ids(splits.test.rows), repetition)
            if group.is_first:
                outputs.check()
                if options.checkpoint is not None:
                    check_target(options.checkpoint)
            training = kept.enter_context(keeping_features(prepare(options, splits, group), folder, say))
            flops = forward_flops(training.model) if options.count else None
        say(_introduction(training))
        with explaining_memory(training):
            outcome = fit(training, phases, say) if options.test_only is None else evaluate(training, phases)
    if group.is_first:
        if options.checkpoint is not None:  # first: what took hours is kept even where the outputs cannot be written
            write_checkpoint(options.checkpoint, training, outcome.epoch)
        outputs.write(outcome.probabilities, _record(training, outcome, flops))
    return outcome


def _silent(_line: str) -> None:
    """Says nothing."""


def _introduction(training: Training) -> str:
    splits = training.splits
    in_processes = f" in {training.group.size} processes" if training.group.size > 1 else ""
    n_train, n_validation, n_test = (len(split.rows) for split in (splits.train, splits.validation, splits.test))
    if training.options.test_only is not None:
        return (
            f"{training.options.model} of {training.options.test_only}: "
            f"on {training.device}{in_processes}, {n_test} images to test"
        )
    return (
        f"{training.options.model}: {training.model.n_parameters(trainable_only=True):,} parameters learn, "
        f"on {training.device}{in_processes}, from {n_train} images; {n_validation} to validate, {n_test} to test"
    )


def _record(training: Training, outcome: Outcome, flops: int | None) -> Mapping[str, Any]:
    """The content of `training.json` (docs/training.md)."""
    model, splits, options = training.model, training.splits, training.options
    weights, trained = model.weights, options.test_only is None
    return {
        "format_version": RECORD_VERSION,
        "model": options.model,
        "options": options.parameters(),
        "seed": options.seed,
        "parameters": model.n_parameters(),
        "trainable_parameters": model.n_parameters(trainable_only=True) if trained else 0,
        "flops": flops,
        "inputs": model.inputs.description,
        "probabilities": training.objective.description,
        "weights": {"file": str(weights.path), "sha256": weights.sha256} if weights else None,
        "checkpoint": _file(options.checkpoint or options.test_only),
        "split": _split(options),
        "class_names": list(splits.class_names),
        "class_weights": None if training.class_weights is None else training.class_weights.tolist(),
        "tested_epoch": outcome.epoch,
        "n_train": len(splits.train.rows) if trained else None,
        "n_validation": len(splits.validation.rows) if trained else None,
        "n_test": len(splits.test.rows),
        "device": _device_name(training.device),
        "processes": training.group.size,
        "threads": torch.get_num_threads(),
        "compute": {
            "precision": options.precision,
            "memory_format": options.memory_format,
            "compile": options.compile,
            "allocator": "tuned" if is_tuned() else "system",
            "deterministic": options.deterministic,
        },
        "versions": {"terrawatt": __version__, "torch": torch.__version__},
        "history": [asdict(epoch) for epoch in outcome.history],
    }


def _file(path: Path | None) -> Mapping[str, str] | None:
    return None if path is None else {"file": str(path), "sha256": sha256(path)}


def _split(options: TrainingOptions) -> Mapping[str, Any] | None:
    """The split file and how it was made; None for the pack's own."""
    return None if options.split is None else {"file": str(options.split.path), **read_provenance(options.split.path)}


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@contextmanager
def _explaining_setup(options: TrainingOptions) -> Iterator[None]:
    """Turns the several ways in which memory runs out before there is a training into one line."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(f"out of memory before {options.model} could begin: make memory free") from error
