"""What features depend on besides the trace: eFEL's settings, by its names where it has one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The stimulus and eFEL's settings; voltages in mV, times in ms.

    Attributes:
        stim_start, stim_end: When the stimulus is on.
        stimulus_current: In nA, for input resistances (which are in MOhm then).
        interpolated: Times and thresholds are read between the points of the grid, so that they change smoothly; else
            at points, as eFEL does.
        soft_width: Over how many mV a spike of ``soft_spike_count`` begins to count.
    """

    stim_start: float
    stim_end: float
    stimulus_current: float | None = None
    interpolated: bool = True
    threshold: float = -20.0
    interp_step: float = 0.1
    derivative_threshold: float = 10.0
    down_derivative_threshold: float = -12.0
    derivative_window: int = 3
    voltage_base_start_perc: float = 0.9
    voltage_base_end_perc: float = 1.0
    ignore_first_isi: bool = True
    strict_stiminterval: bool = False
    precision_threshold: float = 1e-10
    sahp_start: float = 5.0
    soft_width: float = 5.0
