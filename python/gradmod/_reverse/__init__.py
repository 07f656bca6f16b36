"""Reverse mode: a run is remembered, and gone through backwards."""
