"""Energy counters of NVIDIA and AMD GPUs, Apple and Jetson chips, through zeus (extra `counters`).

zeus gives mJ since some start, and raises when it cannot read. NVIDIA's and AMD's counters have 64 bits and do not come
to their end; zeus itself adds up the power of a Jetson, ten times a second, in a process of its own.
"""

import importlib
import math
import queue
from collections.abc import Callable, Mapping
from typing import Any

from terrawatt.errors import SourceError
from terrawatt.power.bank import CounterBank, CounterInfo

_J_PER_MJ = 1e-3
_APPLE = {"cpu": "cpu_total_mj", "gpu": "gpu_mj", "dram": "dram_mj", "ane": "ane_mj"}
_JETSON = {"total": "total_energy_mj", "cpu": "cpu_energy_mj", "gpu": "gpu_energy_mj"}


def open_nvidia() -> CounterBank:
    """The counters of the NVIDIA GPUs, of those in CUDA_VISIBLE_DEVICES.

    Raises:
        SourceError: there is none, or zeus or the driver is missing.
    """
    zeus = _zeus("zeus.device.gpu.nvidia")
    if not _tried("nvidia", zeus.nvml_is_available):
        raise SourceError("nvidia: no driver answers (NVML); does nvidia-smi work?")
    return GpuBank("nvidia", _tried("nvidia", zeus.NVIDIAGPUs))


def open_amd() -> CounterBank:
    """The counters of the AMD GPUs, of those in HIP_VISIBLE_DEVICES.

    Raises:
        SourceError: there is none, or zeus or ROCm is missing.
    """
    zeus = _zeus("zeus.device.gpu.amd")
    if not _tried("amd", zeus.amdsmi_is_available):
        raise SourceError("amd: no driver answers (amdsmi); does amd-smi work? ROCm 6.2 or later is needed")
    return GpuBank("amd", _tried("amd", zeus.AMDGPUs))


def open_apple() -> CounterBank:
    """The counters of an Apple chip.

    Raises:
        SourceError: this is none, or zeus or zeus-apple-silicon is missing.
    """
    zeus = _zeus("zeus.device.soc.apple")
    if not _tried("apple", zeus.apple_silicon_is_available):
        raise SourceError("apple: not an Apple chip, or without its reader: pip install zeus-apple-silicon")
    return ChipBank("apple", _tried("apple", zeus.AppleSilicon), _APPLE)


def open_jetson() -> CounterBank:
    """The energies of a Jetson board, added up by zeus from now on.

    Raises:
        SourceError: this is none, or zeus is missing.
    """
    zeus = _zeus("zeus.device.soc.jetson")
    if not _tried("jetson", zeus.jetson_is_available):
        raise SourceError("jetson: this is no Jetson board")
    return ChipBank("jetson", _tried("jetson", zeus.Jetson), _JETSON, "zeus adds up the power, ten times a second")


class GpuBank:
    """One counter for each GPU that has one."""

    def __init__(self, device: str, gpus: Any) -> None:
        """Find the GPUs with a counter.

        Args:
            device: `nvidia` or `amd`.
            gpus: zeus' object for all of them.

        Raises:
            SourceError: there is none.
        """
        self._device = device
        self._gpus = gpus
        self._indices = [i for i in range(len(gpus)) if _tried(device, gpus.supports_get_total_energy_consumption, i)]
        if not self._indices:
            raise SourceError(f"{device}: no GPU has an energy counter (NVIDIA: Volta or later)")
        self.counters = tuple(
            CounterInfo(f"gpu-{i}", note=f"{_tried(device, gpus.get_name, i)}, whole board") for i in self._indices
        )

    def read(self) -> tuple[float, ...]:
        """The energies in J; NaN for a GPU that does not answer.

        Raises:
            SourceError: none answers.
        """
        values = []
        reason = ""
        for index in self._indices:
            try:
                values.append(_tried(self._device, self._gpus.get_total_energy_consumption, index) * _J_PER_MJ)
            except SourceError as error:
                values.append(math.nan)
                reason = str(error)
        if all(map(math.isnan, values)):
            raise SourceError(reason)
        return tuple(values)

    def close(self) -> None:
        """Nothing to be done: the driver's library ends with the process."""


class ChipBank:
    """The parts of one chip that are counted, all read by one call."""

    def __init__(self, device: str, chip: Any, fields: Mapping[str, str], note: str = "") -> None:
        """Find the parts that are counted.

        Args:
            device: `apple` or `jetson`.
            chip: zeus' object.
            fields: label -> the field of zeus' measurement.
            note: what one should know of the counters.

        Raises:
            SourceError: none is counted.
        """
        self._device = device
        self._chip = chip
        counted = self._measure()
        self._fields = {label: field for label, field in fields.items() if getattr(counted, field, None) is not None}
        if not self._fields:
            raise SourceError(f"{device}: zeus counts no energy of this chip")
        self.counters = tuple(CounterInfo(label, note=note) for label in self._fields)

    def read(self) -> tuple[float, ...]:
        """The energies in J; NaN where zeus has none.

        Raises:
            SourceError: zeus does not answer.
        """
        counted = self._measure()
        values = (getattr(counted, field, None) for field in self._fields.values())
        return tuple(math.nan if value is None else value * _J_PER_MJ for value in values)

    def close(self) -> None:
        """Nothing to be done: zeus ends its process with ours."""

    def _measure(self) -> Any:
        return _tried(self._device, self._chip.get_total_energy_consumption)


def _zeus(module: str) -> Any:
    """A module of zeus.

    Raises:
        SourceError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = module.rpartition(".")[2]
        raise SourceError(f"{name}: needs zeus ({error}); pip install 'terrawatt[counters]'") from error


def _tried(device: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call of zeus returns; its errors as ours.

    Raises:
        SourceError: it failed.
    """
    base: type[Exception] = importlib.import_module("zeus.exception").ZeusBaseError
    try:
        return call(*arguments)
    except (base, RuntimeError, OSError, ValueError, KeyError, ImportError, queue.Empty) as error:
        raise SourceError(
            f"{device}: cannot be read ({' '.join(str(error).split()) or type(error).__name__})"
        ) from error
