"""The gradmod command: where it is, and what it supports."""
