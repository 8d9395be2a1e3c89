"""An estimate of a machine's power from its CPU load, for machines without a meter. Not a measurement.

P = idle_w + (full_w - idle_w) × load: the linear model of X. Fan, W.-D. Weber and L. A. Barroso, "Power provisioning
for a warehouse-sized computer", ISCA 2007, section 3.2. It knows nothing of accelerators, disks and frequencies.
"""

import os

from pydantic import Field, model_validator

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power.cputimes import CpuTimesReader, open_cpu_times
from terrawatt.power.options import Options, describe, parse_options
from terrawatt.records import AccuracyBand, Semantics, SourceDescription

# A convention, of the size of common desktops and servers, where no better is known: 10 W for the machine, and for
# each logical CPU 2 W at rest and 8 W at work. Set idle_w and full_w from a meter or a data sheet.
MACHINE_W, IDLE_W_PER_CPU, FULL_W_PER_CPU = 10.0, 2.0, 8.0

ACCURACY = (AccuracyBand(plus_minus_percent=50.0),)


class EstimateOptions(Options):
    """The model's two levels, in W; by default of the number of logical CPUs."""

    idle_w: float = Field(default_factory=lambda: MACHINE_W + IDLE_W_PER_CPU * _cpus(), ge=0, allow_inf_nan=False)
    full_w: float = Field(default_factory=lambda: MACHINE_W + FULL_W_PER_CPU * _cpus(), gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _levels_rise(self) -> "EstimateOptions":
        if self.full_w <= self.idle_w:
            raise ValueError(f"full_w ({self.full_w:g} W) must be above idle_w ({self.idle_w:g} W)")
        return self


class EstimateSource:
    """The model's mean power since the reading before."""

    def __init__(self, description: SourceDescription, options: EstimateOptions, cpu: CpuTimesReader) -> None:
        self.descriptions = (description,)
        self._options = options
        self._cpu = cpu
        self._before = cpu.read()

    def read(self) -> tuple[float]:
        """The mean power since the reading before, in W.

        Raises:
            SourceError: the CPU times cannot be read, or did not go on.
        """
        try:
            now = self._cpu.read()
        except OSError as error:
            raise SourceError(f"CPU times cannot be read ({error})") from error
        shares, self._before = now.shares_since(self._before), now
        if shares is None:
            raise SourceError("no CPU time was counted since the reading before")
        return (self._options.idle_w + (self._options.full_w - self._options.idle_w) * shares.load,)

    def close(self) -> None:
        """Release the file of the CPU times."""
        self._cpu.close()


def create(settings: SourceSettings, host: str) -> EstimateSource:
    """The source of an entry of kind `estimate`.

    Raises:
        SourceError: an option is wrong.
    """
    options = parse_options(EstimateOptions, settings)
    note = (
        f"estimate, not a measurement: {options.idle_w:g} W + {options.full_w - options.idle_w:g} W × CPU load "
        "(linear model of Fan, Weber and Barroso 2007)"
    )
    description = describe(settings, host, Semantics.MEAN, ACCURACY, is_estimate=True, note=note)
    return EstimateSource(description, options, open_cpu_times())


def _cpus() -> int:
    return os.cpu_count() or 1
