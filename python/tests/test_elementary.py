"""exp, log and pow of the emitted adjoints against those of the C library."""

from __future__ import annotations

import ctypes
import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "elementary.mod.j2"
SOURCE = """
#include <math.h>
#include <string.h>
#undef exp
#include "elementary.h"
extern "C" {
double our_exp(double x) { return gm_exp(x); }
double our_log(double x) { return gm_log(x); }
double our_pow(double x, double y) { return gm_pow(x, y); }
double their_pow(double x, double y) { return (pow)(x, y); }
}
"""
SPECIAL = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, -2.5, 1e-310, 1e300, math.inf, -math.inf, math.nan)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("elementary")
    (folder / "elementary.h").write_text(TEMPLATE.read_text())
    (folder / "ours.cpp").write_text(SOURCE)
    options = ["-O2", "-ffp-contract=off", "-shared", "-fPIC", f"-I{folder}"]
    subprocess.run(["g++", *options, str(folder / "ours.cpp"), "-o", str(folder / "ours.so")], check=True)
    return ctypes.CDLL(str(folder / "ours.so"))


def ours(library: ctypes.CDLL, name: str, arguments: int, whose: str = "our") -> Callable[..., float]:
    function = getattr(library, f"{whose}_{name}")
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * arguments
    return function


def is_close(one: float, other: float, relative: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other)) or abs(one - other) <= relative * abs(other)


def test_exp(library: ctypes.CDLL) -> None:
    """As NEURON's: 0 below -700, and no larger than exp(700)."""
    exp = ours(library, "exp", 1)
    for x in np.random.default_rng(1).uniform(-699, 700, 20_000):
        assert is_close(exp(x), math.exp(x), 1e-15), x
    assert (exp(-701), exp(-math.inf)) == (0.0, 0.0)
    assert is_close(exp(1e4), math.exp(700), 1e-15)
    assert math.isnan(exp(math.nan))


def test_log(library: ctypes.CDLL) -> None:
    log = ours(library, "log", 1)
    random = np.random.default_rng(2)
    near = 1 + random.normal(size=10_000) * np.exp(random.uniform(-35, -1, 10_000))
    for x in [*np.exp(random.uniform(-700, 700, 20_000)), *near[near > 0], *(s for s in SPECIAL if s > 0)]:
        assert is_close(log(x), math.log(x), 1e-15), x
    assert log(0.0) == -math.inf
    assert math.isnan(log(-1.0))
    assert math.isnan(log(math.nan))


def test_pow(library: ctypes.CDLL) -> None:
    power = ours(library, "pow", 2)
    random = np.random.default_rng(3)
    for x, y in zip(np.exp(random.uniform(-10, 10, 20_000)), random.uniform(-10, 10, 20_000), strict=True):
        assert is_close(power(x, y), x**y, 1e-13), (x, y)
    theirs = ours(library, "pow", 2, "their")
    for x in SPECIAL:
        for y in SPECIAL:
            assert is_close(power(x, y), theirs(x, y), 1e-13), (x, y)
