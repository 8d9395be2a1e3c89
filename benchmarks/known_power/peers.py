"""Other tools' own functions, called on readings that we hand them.

Times are handed over as seconds since the origin of the simulation: perun keeps them as float32. Installed by
`pip install 'terrawatt[bench]'`; a tool that is not there is told as missing, never replaced by a copy of its method.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np

from known_power.training import since_origin_s
from terrawatt.records import Float64Array, Series, Window

Integrator = Callable[[Series, Sequence[Window]], Float64Array]


def installed() -> tuple[dict[str, Integrator], dict[str, str]]:
    """Name with version -> its energies in J of windows; and name -> why it cannot be called."""
    found: dict[str, Integrator] = {}
    missing: dict[str, str] = {}
    for name, load in (("perun", _perun), ("zeus", _zeus), ("carbontracker", _carbontracker)):
        try:
            integrator = load()
            found[f"{name} {version(name)}"] = integrator
        except ImportError as error:
            missing[name] = f"not installed ({error})"
    return found, missing


def _perun() -> Integrator:
    """`perun.processing.processEnergyData` of a power sensor, limited to a region: how perun gives regions."""
    from perun.data_model.data import RawData
    from perun.data_model.measurement_type import Magnitude, MetricMetaData, Unit
    from perun.processing import processEnergyData

    def meta(unit: object) -> object:
        kind = np.dtype("float32")
        return MetricMetaData(unit, Magnitude.ONE, kind, np.float32(0), np.finfo("float32").max, np.float32(-1))

    def integrate(series: Series, windows: Sequence[Window]) -> Float64Array:
        t_s = since_origin_s(series.t_ns)
        raw = RawData(t_s, series.value, meta(Unit.SECOND), meta(Unit.WATT))
        return np.array([float(processEnergyData(raw, *_bounds_s(window))[0]) for window in windows])

    return integrate


def _zeus() -> Integrator:
    """`zeus.monitor.power.PowerMonitor.get_energy`; the monitor is made without its polling of GPUs."""
    from zeus.monitor.power import PowerDomain, PowerMonitor, PowerSample

    def integrate(series: Series, windows: Sequence[Window]) -> Float64Array:
        monitor = PowerMonitor.__new__(PowerMonitor)
        monitor.gpu_indices = [0]
        monitor.measurement_domains = [PowerDomain.DEVICE_INSTANT]
        monitor.data_queues = {}
        pairs = zip(since_origin_s(series.t_ns), series.value, strict=True)
        samples = [PowerSample(float(t_s), 0, float(power_w) * 1000) for t_s, power_w in pairs]
        monitor.samples = {PowerDomain.DEVICE_INSTANT: {0: samples}}
        return np.array([monitor.get_energy(*_bounds_s(window))[0] for window in windows])

    return integrate


def _carbontracker() -> Integrator:
    """`carbontracker.components.component.Component.energy_usage`: each window an epoch with the readings in it."""
    from carbontracker.components.component import Component

    def integrate(series: Series, windows: Sequence[Window]) -> Float64Array:
        component = Component.__new__(Component)
        component.power_usages = [
            [[value] for value in series.value[(series.t_ns >= window.start_ns) & (series.t_ns <= window.end_ns)]]
            for window in windows
        ]
        energy_kwh = component.energy_usage([window.duration_s for window in windows])
        return np.array(energy_kwh) * 3_600_000

    return integrate


def _bounds_s(window: Window) -> tuple[float, float]:
    start_s, end_s = since_origin_s(np.array([window.start_ns, window.end_ns]))
    return float(start_s), float(end_s)
