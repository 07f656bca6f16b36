"""Gradient descent, by optax: Adam, Polyak's steps, clipped gradients, schedules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._model.cells import Floats
from .._problem.fittable import Fittable
from .._problem.libraries import library
from ..errors import Error
from .checkpoint import Leaf
from .course import OUT_OF_RUNS, Callback, Course, Stopped
from .result import Fit


def descend(
    problem: Fittable,
    optimiser: Any,
    start: Mapping[str, float] | None = None,
    *,
    runs: int = 100,
    callback: Callback | None = None,
    enough: float = 0.0,
    patience: int | None = None,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Fit:
    """Minimise half the sum of the squared residuals by the steps of an optax optimiser, with exact gradients.

        fit.descend(problem, optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.05)), start)
        fit.descend(problem, optax.polyak_sgd(), start)

    Steps are taken on the scales of the parameters; where one leaves its bounds, it is put on them.

    Args:
        problem: What to fit; in either mode.
        optimiser: An ``optax.GradientTransformation``. It is given the cost, as Polyak's steps need it; those that
            search along a line evaluate the function themselves, and are not supported.
        start, runs, callback, enough, patience, progress: As for :func:`least_squares`.
        checkpoint: As for :func:`least_squares`; but the fit goes on exactly where it was, with all that the optimiser
            remembers.

    Raises:
        Error: Optax is not installed, this is no optimiser of it, the start is out of bounds, or the checkpoint is of
            another fit.
    """
    optax, jax = library("optax", "gradient descent"), library("jax", "gradient descent")
    if not (hasattr(optimiser, "init") and hasattr(optimiser, "update")):
        raise Error(f"{optimiser!r} is no optimiser of optax, such as optax.adam(0.05)")
    steps = optax.with_extra_args_support(optimiser)
    low, high = problem.bounds
    with (
        _double_precision(jax),
        Course(
            problem, start, "descend", runs,
            callback=callback, enough=enough, patience=patience, progress=progress, checkpoint=checkpoint,
        ) as course,
    ):  # fmt: skip
        if course.why:
            return course.end(course.why, is_over=course.saved.is_over)
        u = np.array(course.saved.at)
        leaves, structure = jax.tree.flatten(steps.init(u))
        if course.saved.state:
            leaves = [_restored(*leaf) for leaf in course.saved.state]
        state = jax.tree.unflatten(structure, leaves)
        why = OUT_OF_RUNS
        try:
            while course.left > 0:
                evaluated = course.evaluate(u)
                try:
                    update, state = steps.update(evaluated.gradient, state, u, value=evaluated.cost)
                except TypeError as error:
                    raise Error(
                        f"the optimiser evaluates the function itself ({error}): line searches are not supported"
                    ) from error
                u = np.clip(np.asarray(optax.apply_updates(u, update), dtype=np.float64), low, high)
                course.remember(u, [_kept(leaf) for leaf in jax.tree.leaves(state)])
        except Stopped as stopped:
            why = str(stopped)
        return course.end(why, is_over=False)


def _double_precision(jax: Any) -> Any:
    """A context in which JAX computes in double precision, as the model does."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    return library("jax.experimental", "gradient descent").enable_x64()


def _kept(leaf: Any) -> Leaf:
    values: Floats = np.asarray(leaf)
    return str(values.dtype), list(values.shape), values.ravel().tolist()


def _restored(kind: str, shape: list[int], values: list[Any]) -> Any:
    return np.array(values, dtype=kind).reshape(shape)
