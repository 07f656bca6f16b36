"""BluePyOpt itself, which is imported when it is needed."""

from __future__ import annotations

import importlib
from typing import Any, cast

from ..errors import Error


def ephys(module: str) -> Any:
    """A module of ``bluepyopt.ephys``.

    Raises:
        Error: BluePyOpt is not installed.
    """
    try:
        return importlib.import_module(f"bluepyopt.ephys.{module}")
    except ImportError as error:
        raise Error("this needs BluePyOpt: pip install bluepyopt") from error


def is_done_by(owner: Any, thing: Any, *methods: str) -> bool:
    """Whether a thing does what these methods do as BluePyOpt's class ``owner`` does it, and no class of a user."""
    own = cast("Any", type(thing))
    return all(getattr(own, name, None) is getattr(owner, name) for name in methods)


def kind(thing: object) -> str:
    """What a thing is called in messages: the name of its class."""
    return type(thing).__name__
