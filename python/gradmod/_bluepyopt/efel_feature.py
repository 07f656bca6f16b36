"""BluePyOpt's eFELFeature as a feature of ours."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._features.catalogue import FEATURES
from ..errors import Error
from ..features import Features
from .library import ephys, is_done_by, kind

#: eFEL's settings, under all names that it has for them, and ours.
_SETTINGS: Mapping[str, str] = {
    "Threshold": "threshold",
    "threshold": "threshold",
    "interp_step": "interp_step",
    "DerivativeThreshold": "derivative_threshold",
    "derivative_threshold": "derivative_threshold",
    "DownDerivativeThreshold": "down_derivative_threshold",
    "DerivativeWindow": "derivative_window",
    "voltage_base_start_perc": "voltage_base_start_perc",
    "voltage_base_end_perc": "voltage_base_end_perc",
    "ignore_first_ISI": "ignore_first_isi",
    "strict_stiminterval": "strict_stiminterval",
    "precision_threshold": "precision_threshold",
    "sahp_start": "sahp_start",
    "stimulus_current": "stimulus_current",
}
#: Counts, which have no derivative: what stands for them has.
_COUNTS = ("Spikecount", "spike_count", "Spikecount_stimint", "spike_count_stimint")


@dataclass(frozen=True)
class Wanted:
    """What one eFELFeature asks for.

    Attributes:
        recording: The name of the recording.
        features: One feature, with its settings.
        spikes: How many spikes there should be, if that follows from its mean.
    """

    recording: str
    features: Features
    spikes: float | None

    @property
    def is_number(self) -> bool:
        """It is the number of spikes, or a frequency that follows from it."""
        return self.spikes is not None or self.features.names[0] in _COUNTS


class NotKnown(Exception):
    """A feature that has no counterpart here: why."""


def wanted(feature: Any) -> Wanted:
    """Translate one.

    Raises:
        NotKnown: It has no counterpart.
    """
    own = ephys("efeatures").eFELFeature
    if not is_done_by(own, feature, "calculate_score"):
        raise NotKnown(f"a {kind(feature)} is no feature of one trace by eFEL")
    name = str(feature.efel_feature_name).replace("Spikecount_stimint", "spike_count_stimint")
    if name not in FEATURES:
        raise NotKnown(f"gradmod.features has no {name}")
    if FEATURES[name].is_count and name not in _COUNTS:
        raise NotKnown(f"{name} is a whole number, which has no derivative")
    if set(feature.recording_names) != {""}:
        raise NotKnown(f"{name} looks at several recordings")
    if feature.stim_start is None or feature.stim_end is None:
        raise NotKnown("it has no stim_start and stim_end")
    start, end = float(feature.stim_start), float(feature.stim_end)
    try:
        asked = Features([name], stim_start=start, stim_end=end, **_settings(feature))
    except Error as error:
        raise NotKnown(str(error)) from error
    spikes = float(feature.exp_mean) * (end - start) / 1000.0 if name == "mean_frequency" else None
    return Wanted(str(feature.recording_names[""]), asked, spikes)


def _settings(feature: Any) -> dict[str, Any]:
    """Those that are not eFEL's defaults.

    Raises:
        NotKnown: One has no counterpart.
    """
    given: dict[str, Any] = {}
    if feature.threshold is not None:
        given["Threshold"] = feature.threshold
    for name in ("stimulus_current", "interp_step"):
        if getattr(feature, name) is not None:
            given[name] = getattr(feature, name)
    for settings in (feature.double_settings, feature.int_settings, feature.string_settings):
        given |= settings or {}
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _SETTINGS:
            if _efel_default(name) == value:
                continue
            raise NotKnown(f"gradmod.features has no setting {name}")
        kind_of = bool if name in ("ignore_first_ISI", "strict_stiminterval") else int if "Window" in name else float
        found[_SETTINGS[name]] = kind_of(value)
    return found


def _efel_default(name: str) -> Any:
    return getattr(importlib.import_module("efel").Settings(), name, None)
