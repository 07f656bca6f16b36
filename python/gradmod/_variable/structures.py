"""What the compiled second pass is handed: the structures of templates/variable/pass_interface.mod.j2."""

from __future__ import annotations

import ctypes
from typing import Any

_ADDRESS, _LONG, _DOUBLE = ctypes.c_void_p, ctypes.c_long, ctypes.c_double


def _members(kind: Any, names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names.split()]


class PlacesStructure(ctypes.Structure):
    """``gmPlaces``."""

    _fields_ = [
        *_members(_ADDRESS, "field"),
        *_members(_LONG, "count at"),
        *_members(_ADDRESS, "node voltage rise x scale area diameter settings fixed coefficient failed"),
        *_members(_LONG, "source_states source_parameters row_voltages row_states row_parameters"),
        *_members(_ADDRESS, "source_state source_parameter row_voltage row_state row_parameter"),
        *_members(_LONG, "start_voltages start_parameters"),
        *_members(_ADDRESS, "start_voltage start_parameter"),
        *_members(_LONG, "slots eliminations lowers uppers"),
        *_members(_ADDRESS, "elimination lower upper slot q r total seed"),
    ]


class PassStructure(ctypes.Structure):
    """``gmPass``."""

    _fields_ = [
        *_members(_LONG, "nodes stride regions points directions watches"),
        *_members(_ADDRESS, "times record slope parent capacitance axial axial_square still"),
        *_members(_DOUBLE, "temperature"),
        *_members(_ADDRESS, "region now rise diagonal right gradient edge_seed edge_total watch seen loss agreement"),
        *_members(_LONG, "defect"),
    ]
