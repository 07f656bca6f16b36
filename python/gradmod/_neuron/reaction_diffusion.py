"""What NEURON's reaction-diffusion module does to the model's sections."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from .interpreter import Section


def driven() -> Iterator[tuple[str, str, frozenset[Section] | None]]:
    """What rxd drives: (ion, what of it, where); None: anywhere, as in an extracellular grid.

    It is only there if a script has imported ``neuron.rxd``.
    """
    species: Any = sys.modules.get("neuron.rxd.species")
    rxd: Any = sys.modules.get("neuron.rxd.rxd")
    if species is None or rxd is None:
        return
    for reference in list(species._all_species):
        one = reference()
        if one is None or not one.name:
            continue
        several = isinstance(one._regions, (list, tuple))
        regions: list[Any] = list(one._regions) if several else [one._regions]
        for region in regions:
            side = getattr(region, "_nrn_region", None) if hasattr(region, "_nrn_region") else "o"
            if side is not None:
                yield one.name, f"{one.name}{side}", _sections(region)
    for reference in list(rxd._all_reactions):
        reaction = reference()
        if reaction is not None and getattr(reaction, "_membrane_flux", False):
            yield "", "a current through the membrane", _sections(reaction._regions[0])


def _sections(region: Any) -> frozenset[Section] | None:
    try:
        return frozenset(region.secs)
    except (AttributeError, TypeError):
        return None
