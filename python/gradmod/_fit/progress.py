"""Bars that show how far a fit is: in a terminal or a notebook, by tqdm where it is installed."""

from __future__ import annotations

import importlib
from typing import Any


class Bar:
    """A bar, or none."""

    def __init__(self, shown: Any = None) -> None:
        """Around tqdm's."""
        self._shown = shown

    def show(self, done: int, cost: float | None = None) -> None:
        """Say how many are done, and the lowest cost."""
        if self._shown is not None:
            if cost is not None:
                self._shown.set_postfix_str(f"cost {cost:.4g}", refresh=False)
            self._shown.update(done - self._shown.n)

    def close(self) -> None:
        """Leave it as it is."""
        if self._shown is not None:
            self._shown.close()


def bar(total: int, unit: str, is_wanted: bool) -> Bar:
    """A new bar.

    Args:
        total: How many there are to do.
        unit: What is counted.
        is_wanted: Whether to show it.
    """
    if is_wanted:
        try:
            tqdm: Any = importlib.import_module("tqdm.auto")
        except ImportError:
            return Bar()
        return Bar(tqdm.tqdm(total=total, unit=unit))
    return Bar()
