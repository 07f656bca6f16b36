"""The voltage at rest and during a stimulus that makes no spikes."""

from __future__ import annotations

import numpy as np

from .extraction import Extraction, MissingFeature, feature
from .linear import Linear


@feature("voltage_base", "mV")
def voltage_base(of: Extraction) -> list[Linear]:
    """The mean from 90 % of the time before the stimulus to its start."""
    t, settings = of.trace.t, of.settings
    start, end = (
        settings.stim_start * part for part in (settings.voltage_base_start_perc, settings.voltage_base_end_perc)
    )
    if not start < end:
        raise MissingFeature("there is no time before the stimulus")
    begin = of.after(start)
    last = np.flatnonzero(t - end < settings.precision_threshold)
    return [_mean(of, begin if begin < len(t) else 0, int(last[-1]) + 1 if len(last) else len(t))]


def _mean(of: Extraction, begin: int, end: int) -> Linear:
    if not begin < end:
        raise MissingFeature("the trace has no samples there")
    return of.trace.mean(begin, end)


@feature("steady_state_voltage", "mV")
def steady_state_voltage(of: Extraction) -> list[Linear]:
    """The mean after the stimulus."""
    return [_mean(of, int(np.searchsorted(of.trace.t, of.settings.stim_end, side="right")), len(of.trace))]


@feature("steady_state_voltage_stimend", "mV")
def steady_state_voltage_stimend(of: Extraction) -> list[Linear]:
    """The mean of the last tenth of the stimulus."""
    start, end = of.settings.stim_start, of.settings.stim_end
    return [_mean(of, of.after(end - 0.1 * (end - start)), of.after(end))]


@feature("voltage_deflection", "mV")
def voltage_deflection(of: Extraction) -> list[Linear]:
    """Five points, from ten to five before the end of the stimulus, less the mean of all before it."""
    t, settings = of.trace.t, of.settings
    later = np.flatnonzero(t > settings.stim_end)
    end = int(later[0]) if len(later) else 0
    if end < 10:
        raise MissingFeature("the trace ends with the stimulus")
    return [of.trace.mean(end - 10, end - 5) - _mean(of, 0, of.after(settings.stim_start))]


@feature("voltage_deflection_vb_ssse", "mV")
def voltage_deflection_vb_ssse(of: Extraction) -> list[Linear]:
    """``steady_state_voltage_stimend`` less ``voltage_base``."""
    return [of.get(steady_state_voltage_stimend)[0] - of.get(voltage_base)[0]]


def _over_current(of: Extraction, deflection: Linear) -> list[Linear]:
    current = of.settings.stimulus_current
    if not current:
        raise MissingFeature("stimulus_current is needed, in nA, and must not be 0")
    return [deflection / current]


@feature("ohmic_input_resistance", "MOhm")
def ohmic_input_resistance(of: Extraction) -> list[Linear]:
    """``voltage_deflection`` over the current of the stimulus."""
    return _over_current(of, of.get(voltage_deflection)[0])


@feature("ohmic_input_resistance_vb_ssse", "MOhm")
def ohmic_input_resistance_vb_ssse(of: Extraction) -> list[Linear]:
    """``voltage_deflection_vb_ssse`` over the current of the stimulus."""
    return _over_current(of, of.get(voltage_deflection_vb_ssse)[0])


def _stimulus(of: Extraction) -> tuple[int, int]:
    t, settings = of.trace.t, of.settings
    if settings.stim_start > t[-1]:
        raise MissingFeature("the trace ends before the stimulus")
    begin, end = of.after(settings.stim_start), of.after(min(settings.stim_end, float(t[-1])))
    if not begin < end:
        raise MissingFeature("the stimulus has no samples")
    return begin, end


def _extreme(of: Extraction, point: int) -> Linear:
    """The value there; where the trace turns, that of the parabola through the point and its neighbours."""
    v = of.trace.v
    if not of.settings.interpolated or not 0 < point < len(v) - 1:
        return of.trace.at(point)
    is_turning = (v[point] - v[point - 1]) * (v[point + 1] - v[point]) <= 0.0
    return of.trace.vertex_value(point) if is_turning else of.trace.at(point)


@feature("maximum_voltage", "mV")
def maximum_voltage(of: Extraction) -> list[Linear]:
    """The highest value while the stimulus is on; between points that of a parabola, as of ``peak_voltage``."""
    begin, end = _stimulus(of)
    return [_extreme(of, begin + int(np.argmax(of.trace.v[begin:end])))]


@feature("minimum_voltage", "mV")
def minimum_voltage(of: Extraction) -> list[Linear]:
    """The lowest value while the stimulus is on; between points that of a parabola, as of ``peak_voltage``."""
    begin, end = _stimulus(of)
    return [_extreme(of, begin + int(np.argmin(of.trace.v[begin:end])))]


@feature("maximum_voltage_from_voltagebase", "mV")
def maximum_voltage_from_voltagebase(of: Extraction) -> list[Linear]:
    """``maximum_voltage`` less ``voltage_base``."""
    return [of.get(maximum_voltage)[0] - of.get(voltage_base)[0]]


@feature("sag_amplitude", "mV")
def sag_amplitude(of: Extraction) -> list[Linear]:
    """How far the voltage comes back from its minimum while a current that hyperpolarises is on."""
    if of.get(voltage_deflection_vb_ssse)[0].value > 0.0:
        raise MissingFeature("the stimulus depolarises")
    return [of.get(steady_state_voltage_stimend)[0] - of.get(minimum_voltage)[0]]


def _drop(of: Extraction) -> Linear:
    drop = of.get(voltage_base)[0] - of.get(minimum_voltage)[0]
    if drop.value == 0.0:
        raise MissingFeature("the stimulus does not change the voltage")
    return drop


@feature("sag_ratio1", "")
def sag_ratio1(of: Extraction) -> list[Linear]:
    """``sag_amplitude`` over the fall from rest to the minimum."""
    return [of.get(sag_amplitude)[0] / _drop(of)]


@feature("sag_ratio2", "")
def sag_ratio2(of: Extraction) -> list[Linear]:
    """The fall from rest to the steady voltage over that to the minimum."""
    return [(of.get(voltage_base)[0] - of.get(steady_state_voltage_stimend)[0]) / _drop(of)]
