"""All features, from the files that define them."""

from __future__ import annotations

from collections.abc import Mapping

from . import block, onset, peaks, rhythm, shape, subthreshold, troughs
from .extraction import DEFINITIONS, Definition

#: By name. A file that defines features must be in this tuple.
_FILES = (block, onset, peaks, rhythm, shape, subthreshold, troughs)
FEATURES: Mapping[str, Definition] = {name: DEFINITIONS[name] for name in sorted(DEFINITIONS, key=str.lower)}
