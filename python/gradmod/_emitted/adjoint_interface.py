"""What the compiled adjoint is handed: the structures of templates/reverse/descent_interface.mod.j2, with arrays."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ADDRESS, _LONG, _DOUBLE = ctypes.c_void_p, ctypes.c_long, ctypes.c_double


def _members(kind: Any, names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names.split()]


class RunStructure(ctypes.Structure):
    """``gmRun``."""

    _fields_ = [
        *_members(_ADDRESS, "frames initial losses weights fixed log flows outs"),
        *_members(_LONG, "stride first last width"),
        *_members(_DOUBLE, "timestep temperature solved"),
        *_members(_LONG, "nodes"),
        *_members(
            _ADDRESS, "parent before after inertia axial axial_square still y diagonal current size voltage flow held"
        ),
        *_members(_LONG, "ends"),
        *_members(_ADDRESS, "end_node end_loss"),
        *_members(_LONG, "edges"),
        *_members(_ADDRESS, "edge_node edge_total"),
        *_members(_LONG, "looks"),
        *_members(_ADDRESS, "look_region look_element look_spot look_node"),
        *_members(_LONG, "regions"),
        *_members(_ADDRESS, "region"),
        *_members(_LONG, "entry"),
        *_members(_ADDRESS, "spot_region spot_place"),
        *_members(_LONG, "fixed_count"),
        *_members(_ADDRESS, "fixed_region fixed_place"),
        *_members(_LONG, "broken_step broken_node followed"),
        *_members(_ADDRESS, "follow_region follow_total follow_fixed follow"),
    ]


class LayersStructure(RunStructure):
    """``gmLayers`` (templates/reverse/descent_layers.mod.j2), which begins with a ``gmRun``."""

    _fields_ = [
        *_members(_LONG, "layers sheaths blocks"),
        *_members(_ADDRESS, "sheath inner row block coupling constant sheath_node vext battery per_area gap store"),
        *_members(_ADDRESS, "vext_loss current_loss matrix unknown potential rest bulk current_adjoint"),
        *_members(_ADDRESS, "battery_total gap_total store_total coupling_total"),
        *_members(_LONG, "fields"),
        *_members(_ADDRESS, "field_weight field"),
    ]


class PlacesStructure(ctypes.Structure):
    """``gmPlaces``."""

    _fields_ = [
        *_members(_ADDRESS, "adjoint"),
        *_members(_LONG, "count tables loss_of_states loss_of_voltage runs"),
        *_members(_ADDRESS, "run_begin"),
        *_members(_ADDRESS, "frame voltage fixed out node landed jumps loss_v loss_x netcons_at netcons"),
        *_members(_ADDRESS, "scale capacity inertia area diameter settings"),
        *_members(_ADDRESS, "m total pointer pointer_carry carry failed broken broken_at"),
        *_members(_ADDRESS, "landed_value landed_step conductance right current current_size waiting kept elements"),
    ]


class Arrays:
    """Arrays that members of a structure point to."""

    def __init__(self, structure: ctypes.Structure) -> None:
        self.structure = structure
        self._held: dict[str, NDArray[Any]] = {}

    def integers(self, **values: ArrayLike) -> None:
        """Set members that point to whole numbers."""
        for name, value in values.items():
            self._hold(name, np.array(value, dtype=np.int64))

    def doubles(self, **values: ArrayLike) -> None:
        """Set members that point to doubles."""
        for name, value in values.items():
            self._hold(name, np.array(value, dtype=np.float64))

    def _hold(self, name: str, array: NDArray[Any]) -> None:
        self._held[name] = array
        setattr(self.structure, name, array.ctypes.data)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._held[name]
