"""Libraries of which a fit needs some, and the package does not."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import Error


def library(module: str, what: str) -> Any:
    """Import a module.

    Args:
        module: Its name.
        what: What needs it, for people.

    Raises:
        Error: It is not installed.
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Error(f"{what} needs {package}: pip install {package}") from error
