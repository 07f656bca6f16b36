"""Expressions that stay bounded whatever is in them: `small` ones within about 2, `positive` ones from 0.1 to 4."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .chance import Chance
from .tree import Expression as E

#: Where code changes at a voltage. Runs start at these too, and just below.
THRESHOLDS = (-70, -65, -62, -60, -55, -50, -40, -30)


_POWER = re.compile(r"\(?(\{\d\}|\w+)\)?\^(\{\d\}|[\d.]+)")


def solvable(expression: E) -> E:
    """The same without `^`, comparisons and units: nocmodl does not read these in equations that it solves."""
    if re.search(r"[<>=!&|]|fmod", expression.text):
        return E("0.5")
    return E(_POWER.sub(r"pow(\1, \2)", expression.text.removesuffix(" (mV)")), tuple(map(solvable, expression.parts)))


@dataclass(frozen=True)
class Function:
    """A FUNCTION that can be called; its value is small or positive."""

    name: str
    arguments: int
    is_positive: bool = False


@dataclass(frozen=True)
class Scope:
    """The names that an expression may use.

    Attributes:
        small, positive: by how large they may be.
        gates: within 0 and 1, and 0 itself is possible.
        voltage: the name of the voltage; empty where there is none.
        time: whether `t` is there.
        jumps: percent of subexpressions that jump or bend.
    """

    chance: Chance
    small: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()
    voltage: str = "v"
    time: bool = False
    jumps: float = 4.0
    writable: tuple[str, ...] = field(default=())

    def without_voltage(self) -> Scope:
        """The same where `v` is not to be read."""
        return replace(self, voltage="")

    def with_small(self, *names: str) -> Scope:
        """With more names."""
        return replace(self, small=(*self.small, *names))

    def hiding(self, *names: str) -> Scope:
        """With these names shadowed by something that is small."""
        keep = lambda of: tuple(name for name in of if name not in names)  # noqa: E731
        return replace(
            self, small=(*keep(self.small), *names), positive=keep(self.positive), gates=keep(self.gates),
            writable=(*keep(self.writable), *names), voltage="" if self.voltage in names else self.voltage,
        )  # fmt: skip

    def without(self, names: Sequence[str]) -> Scope:
        """The same where these names have no value yet."""
        keep = lambda of: tuple(name for name in of if name not in names)  # noqa: E731
        return replace(self, small=keep(self.small), writable=keep(self.writable))

    # --- small ones -----------------------------------------------------------------------------------------------

    def small_one(self, depth: int) -> E:
        """Within about 2."""
        c = self.chance
        if depth <= 0 or c.of(12):
            return self._small_atom()
        if c.of(self.jumps):
            return self._jump(depth)
        a = lambda: self.small_one(depth - 1)  # noqa: E731
        p = lambda: self.positive_one(depth - 1)  # noqa: E731
        calls = [f for f in self.functions if not f.is_positive]
        if calls and c.of(22):
            return self._call(c.one(calls), depth)
        make = c.weighted(
            {
                lambda: E("({0} + {1})/2", (a(), a())): 6.0,
                lambda: E("(0.6*{0} - 0.4*{1})", (a(), a())): 6.0,
                lambda: E("0.5*{0}*{1}", (a(), a())): 6.0,
                lambda: E("({0}/{1})*0.3", (a(), p())): 4.0,
                lambda: E("(-({0}))", (a(),)): 2.0,
                lambda: E("sin(2*{0})", (a(),)): 2.0,
                lambda: E("cos({0})", (a(),)): 1.5,
                lambda: E("tan(0.4*{0})", (a(),)): 0.7,
                lambda: E("tanh({0})", (a(),)): 2.0,
                lambda: E("atan({0})", (a(),)): 1.0,
                lambda: E("erf({0})", (a(),)): 0.7,
                lambda: E("atan2({0}, {1})", (a(), p())): 0.8,
                lambda: E("asin(0.9*tanh({0}))", (a(),)): 0.6,
                lambda: E("(acos(0.9*sin({0})) - 1.5)", (a(),)): 0.6,
                lambda: E("sinh(0.5*{0})", (a(),)): 0.8,
                lambda: E("log({0})*0.5", (p(),)): 2.0,
                lambda: E("log10({0})", (p(),)): 1.0,
                lambda: E("(sqrt({0}) - 1)", (p(),)): 1.5,
                lambda: E("exp(-({0})^2)", (a(),)): 2.0,
                lambda: E("0.3*{0}^{1}", (p(), a())): 1.0,
                lambda: E("0.3*pow({0}, {1})", (p(), a())): 1.0,
                lambda: E("0.4*({0})^2", (a(),)): 1.5,
                lambda: E("0.2*({0})^3", (a(),)): 1.0,
                lambda: self._singular(depth): 1.5,
                lambda: self.sigmoid(depth - 1): 4.0,
                lambda: self.root(): 1.5,
                lambda: E("0.1*nrn_ghk(60*{0}, {1}, {2}, 2)", (a(), p(), p())): 0.4,
            }
        )
        return make()

    def _small_atom(self) -> E:
        c = self.chance
        if self.small and c.of(50):
            return E(c.one(self.small))
        if self.gates and c.of(25):
            return E(c.one(self.gates))
        if self.voltage and c.of(60):
            return E(f"({self.voltage} + {c.count(30, 80)})/{c.count(40, 90)}")
        if self.time and c.of(30):
            return E(f"t/{c.count(8, 30)}")
        value = c.number(-1.5, 1.5)
        return E(f"{value:g}" if value >= 0 else f"({value:g})") if c.of(70) else E(f"{c.number(0.1, 1.5):g} (mV)")

    def sigmoid(self, depth: int) -> E:
        """Within 0 and 1."""
        c = self.chance
        if self.voltage and c.of(60):
            sign, shift, slope = c.one(("-", "")), c.count(20, 70), c.one((4, 5.5, 7, 9, 12))
            if self.small and c.of(30):
                return E(f"1/(1 + exp({sign}({self.voltage} + {shift} + 3*{{0}})/{slope}))", (E(c.one(self.small)),))
            return E(f"1/(1 + exp({sign}({self.voltage} + {shift})/{slope}))")
        return E("1/(1 + exp(-({0})))", (self.small_one(depth),))

    def _singular(self, depth: int) -> E:
        """x/(exp(x) - 1) in its several ways."""
        c = self.chance
        if self.voltage and c.of(70):
            # A whole threshold: runs start there.
            x = E(f"({self.voltage} + {-c.one(THRESHOLDS) + c.one((0, 0, 0.5))})")
        else:
            x = self.small_one(depth - 1)
        return (
            E(f"0.02*({{0}})/(1.02 - exp(-({{0}})/{c.count(5, 15)}))", (x,))
            if c.of(30)
            else E(f"0.1*(({{0}} + 0.013)/{(k := c.count(5, 15))})/(exp(({{0}} + 0.013)/{k}) - 1)", (x,))
        )

    def root(self) -> E:
        """Powers of what may be 0."""
        if not self.gates:
            return E("0.5")
        c = self.chance
        return E(c.one(("sqrt({0})", "{0}^0.5", "{0}^1.5", "pow({0}, 2.5)", "{0}^4", "{0}^3")), (E(c.one(self.gates)),))

    def _jump(self, depth: int) -> E:
        c = self.chance
        a = lambda: self.small_one(depth - 1)  # noqa: E731
        make = c.weighted(
            {
                lambda: E("fabs({0})", (a(),)): 3.0,
                lambda: E("floor(3*{0})/3", (a(),)): 1.0,
                lambda: E("ceil(2*{0})/3", (a(),)): 1.0,
                lambda: E("fmod(3*{0}, {1})*0.4", (a(), self.positive_one(depth - 1))): 1.0,
                lambda: E("({0} > {1})*0.5", (a(), a())): 1.0,
                lambda: E("0.5*({0})", (self.condition(depth - 1),)): 1.0,
            }
        )
        return make()

    # --- positive ones --------------------------------------------------------------------------------------------

    def positive_one(self, depth: int) -> E:
        """From 0.1 to about 4."""
        c = self.chance
        if depth <= 0 or c.of(15):
            return E(c.one(self.positive)) if self.positive and c.of(55) else E(f"{c.number(0.3, 2.2):g}")
        a = lambda: self.small_one(depth - 1)  # noqa: E731
        p = lambda: self.positive_one(depth - 1)  # noqa: E731
        calls = [f for f in self.functions if f.is_positive]
        if calls and c.of(25):
            return self._call(c.one(calls), depth)
        make = c.weighted(
            {
                lambda: E("(0.3 + 0.5*({0})^2)", (a(),)): 3.0,
                lambda: E("exp(0.6*{0})", (a(),)): 4.0,
                lambda: E("(1.2 + sin({0}))", (a(),)): 2.0,
                lambda: E("(1.1 + tanh({0}))", (a(),)): 2.0,
                lambda: E("(0.1 + {0})", (self.sigmoid(depth - 1),)): 3.0,
                lambda: E("sqrt({0})", (p(),)): 2.0,
                lambda: E("cosh(0.6*{0})", (a(),)): 1.0,
                lambda: E("({0} + {1})/2", (p(), p())): 3.0,
                lambda: E("1/({0} + 0.2)", (p(),)): 2.0,
                lambda: E("pow(3, (celsius - 16)/{0}*0.1)", (E(str(c.count(2, 6))),)): 1.5,
                lambda: E("(0.2 + fabs({0}))", (a(),)): self.jumps / 8,
            }
        )
        return make()

    def _call(self, function: Function, depth: int) -> E:
        holes = ", ".join(f"{{{i}}}" for i in range(function.arguments))
        parts = tuple(self.small_one(depth - 1) for _ in range(function.arguments))
        return E(f"{function.name}({holes})", parts)

    # --- conditions -----------------------------------------------------------------------------------------------

    def condition(self, depth: int) -> E:
        """Something to test."""
        c = self.chance
        if depth > 0 and c.of(20):
            parts = (self.condition(depth - 1), self.condition(depth - 1))
            return E(c.one(("({0}) && ({1})", "({0}) || ({1})")), parts)
        if depth > 0 and c.of(5):
            return E("!({0})", (self.condition(depth - 1),))
        sign = c.one(("<", ">", "<=", ">="))
        if self.voltage and c.of(55):
            return E(f"{self.voltage} {sign} {c.one(THRESHOLDS)}")
        if self.time and c.of(40):
            return E(f"t {sign} {c.number(0.5, 6):g}")
        if self.gates and c.of(30):
            return E(f"{c.one(self.gates)} {sign} {c.number(0.1, 0.9):g}")
        return E(f"{{0}} {sign} {{1}}", (self.small_one(depth - 1), self.small_one(depth - 1)))
