"""Tests of what the other tests lean on: finite differences, and the models."""
