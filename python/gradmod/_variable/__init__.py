"""Gradients under the variable step (CVODE): the record of a run, and a second pass along it."""
