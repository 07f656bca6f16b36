"""Models that the tests differentiate. They need NEURON, but nothing of gradmod."""

from .library import CHANNELS, compile_fixtures, load_fixtures

__all__ = ["CHANNELS", "compile_fixtures", "load_fixtures"]
