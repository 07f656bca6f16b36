"""Mutants of the variable step: its equations, the second pass along a record, what a loss reads of that, its watch."""

from __future__ import annotations

from mutant import Mutant

_TESTS = ("python/tests/test_cvode.py", "python/tests/test_cvode_simulation.py")
_PASS = "templates/variable/pass.mod.j2"
_WATCH = "templates/variable/watch.mod.j2"
_READING = "python/gradmod/_variable/reading.py"

VARIABLE_STEP = [
    Mutant(
        "variable step: parameters",
        _PASS,
        "double* const to = r + at[0]*n; GM_EACH to[i] += g*from[i]*own[i];",
        "double* const to = r + at[0]*n; GM_EACH to[i] -= g*from[i]*own[i];",
        _TESTS,
    ),
    Mutant(
        "variable step: backwards, parameters",
        _PASS,
        "const double* const from = coefficient + at[2]*n; GM_EACH to[i] += g*from[i]*own[i];",
        "const double* const from = coefficient + at[2]*n; GM_EACH to[i] += 1.01*g*from[i]*own[i];",
        _TESTS,
    ),
    Mutant(
        "variable step: states in the membrane's equation",
        _PASS,
        "d[places->node[i]] += places->scale[i]*g*own[i]*slope[i];",
        "d[places->node[i]] += 0.99*places->scale[i]*g*own[i]*slope[i];",
        _TESTS,
    ),
    Mutant(
        "variable step: Ra",
        _PASS,
        "const double flow = seed[j]*(voltage[j] - voltage[parent[j]]);",
        "const double flow = 1.01*seed[j]*(voltage[j] - voltage[parent[j]]);",
        _TESTS,
    ),
    Mutant("variable step: slopes of the record", _PASS, "b1 = -h*where*where*u;", "b1 = h*where*where*u;", _TESTS),
    Mutant("variable step: watched", _WATCH, "if (gm_now != gm_first[gm_i] &&", "if (0 &&", _TESTS),
    Mutant("variable step: moved", _WATCH, "moved = 1.;", "moved = 0.;", _TESTS),
    Mutant("variable step: crossings", _READING, "-near.weights(found) / slope", "near.weights(found) / slope", _TESTS),
    Mutant("variable step: beside events", _READING, "(stretch[lower] == stretch[first])", "True", _TESTS),
    Mutant(
        "variable step: what is kept",
        "python/gradmod/_simulation/by_variable_step.py",
        "self._kept.pop(0).forget()",
        "self._kept.pop().forget()",
        _TESTS,
    ),
]
