"""Delta debugging: a model that fails is made smaller while it fails in the same way."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import batch
from .models import Model
from .tree import Block, Expression, Mechanism, Statement

#: How many candidates are tried at once, each compiled for itself.
_JOBS = 2
#: Seconds after which what has been reached is good enough.
_LIMIT = 900.0


def kind_of(record: dict[str, Any]) -> str:
    """What must stay: which of the promises was broken, and in an error, by what."""
    if not record["failures"]:
        return ""
    kind, text = record["failures"][0]
    return f"{kind}: {text[:60]}" if kind in ("error", "crash") else {"backwards": "reverse"}.get(kind, kind)


class Shrinker:
    """Tries smaller models."""

    def __init__(self, model: Model, record: dict[str, Any]) -> None:
        self.model, self.record, self.kind = model, record, kind_of(record)
        #: All mechanisms that the model began with are in it.
        self._first, self._library = model, ""
        self._end = time.monotonic() + _LIMIT
        self.tried = 0

    def shrink(self, keep: Callable[[Model], None]) -> Model:
        """The smallest that was found; each on the way is kept."""
        self._keep = keep
        for step in (
            _modes,
            _mechanisms,
            _cells,
            _blocks,
            _statements,
            _statements,
            _expressions,
            _declarations,
            _cells,
            _statements,
            _expressions,
        ):
            self._exhaust(step)
        return self.model

    def _exhaust(self, step: Callable[[Model], Iterator[Model]]) -> None:
        changed = True
        while changed and time.monotonic() < self._end:
            changed = False
            position = 0
            candidates = list(step(self.model))
            while position < len(candidates) and time.monotonic() < self._end:
                some = candidates[position : position + _JOBS]
                with ThreadPoolExecutor(_JOBS) as pool:
                    records = list(pool.map(self._attempt, some))
                self.tried += len(some)
                good = next((i for i, r in enumerate(records) if self._same(r)), None)
                if good is None:
                    position += len(some)
                    continue
                self.model, self.record = some[good], records[good]
                self._keep(self.model)
                changed = True
                # Go on behind what was taken: the candidates before it failed already.
                size = len(candidates)
                candidates = list(step(self.model))
                position = max(0, position + good - max(0, size - len(candidates) - 1))

    def _attempt(self, model: Model) -> dict[str, Any] | None:
        known = {str(m) for m in self._first.mechanisms}
        if not self._library:
            with tempfile.TemporaryDirectory() as directory:
                self._library = _library(self._first, Path(directory)) or ""
        return attempt(model, self._library if all(str(m) in known for m in model.mechanisms) else None)

    def _same(self, record: dict[str, Any] | None) -> bool:
        return record is not None and kind_of(record) == self.kind


def attempt(model: Model, library: str | None = None) -> dict[str, Any] | None:
    """What becomes of a model; None if it is not legal.

    Args:
        library: Has its mechanisms already.
    """
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        if library is None:
            library = _library(model, folder)
        if library is None:
            return None
        batch.write(folder / "model", model, library)
        return batch.work(folder / "model")


def _library(model: Model, folder: Path) -> str | None:
    """Compiled; None if something in it is not legal."""
    for m in model.mechanisms:
        (folder / f"{m.name}.mod").write_text(str(m), encoding="utf-8")
        if batch.illegal(folder / f"{m.name}.mod", folder) is not None:
            return None
    library, left, _ = batch.compiled(folder, model.mechanisms)
    return library if len(left) == len(model.mechanisms) else None


# --- steps --------------------------------------------------------------------------------------------------------


def without(model: Model, gone: set[str]) -> Model:
    """The model without some mechanisms."""
    numbers = [i for i, p in enumerate(model.points) if p.mechanism not in gone]
    return replace(
        model,
        mechanisms=tuple(m for m in model.mechanisms if m.name not in gone),
        sections=tuple(replace(s, mechanisms=tuple(m for m in s.mechanisms if m not in gone)) for s in model.sections),
        points=tuple(model.points[i] for i in numbers),
        events=tuple(replace(e, point=numbers.index(e.point)) for e in model.events if e.point in numbers),
    )


def _modes(model: Model) -> Iterator[Model]:
    if model.forward and model.reverse:
        yield replace(model, reverse=False)
        yield replace(model, forward=False)


def _mechanisms(model: Model) -> Iterator[Model]:
    names = [m.name for m in model.mechanisms]
    if len(names) > 3:
        half = len(names) // 2
        yield without(model, set(names[:half]))
        yield without(model, set(names[half:]))
    for name in names:
        yield without(model, {name})


def _cells(model: Model) -> Iterator[Model]:
    for field in ("clamps", "events"):
        things = getattr(model, field)
        if things:
            yield replace(model, **{field: ()})
        for i in range(len(things) if len(things) > 1 else 0):
            yield replace(model, **{field: things[:i] + things[i + 1 :]})
    for i in range(len(model.points)):
        kept = [e for e in model.events if e.point != i]
        yield replace(
            model, points=model.points[:i] + model.points[i + 1 :],
            events=tuple(replace(e, point=e.point - (e.point > i)) for e in kept),
        )  # fmt: skip
    if len(model.sections) > 2 and not any(p.section == model.sections[-1].name for p in model.points):
        name = model.sections[-1].name
        if not any(c.section == name for c in model.clamps):
            yield replace(model, sections=model.sections[:-1])
    for flag in ("hh", "tables", "plays", "few", "uneven"):
        if getattr(model, flag):
            yield replace(model, **{flag: False})
    if model.way != "continuerun":
        yield replace(model, way="continuerun")
    if model.t_stop > 1:
        yield replace(model, t_stop=model.t_stop / 2)
    if model.dt < 0.05:
        yield replace(model, dt=0.05)
    if model.v_init % 1 == 0.0 and model.v_init != -65.0:
        yield replace(model, v_init=-65.0)


def _each(model: Model, smaller: Callable[[Mechanism], Iterator[Mechanism]]) -> Iterator[Model]:
    for i, m in enumerate(model.mechanisms):
        for less in smaller(m):
            yield replace(model, mechanisms=(*model.mechanisms[:i], less, *model.mechanisms[i + 1 :]))


def _blocks(model: Model) -> Iterator[Model]:
    def smaller(m: Mechanism) -> Iterator[Mechanism]:
        for i in range(len(m.blocks)):
            if m.blocks[i].head != "BREAKPOINT":
                yield m.with_blocks(m.blocks[:i] + m.blocks[i + 1 :])

    yield from _each(model, smaller)


def _statements(model: Model) -> Iterator[Model]:
    def smaller(m: Mechanism) -> Iterator[Mechanism]:
        for i, block in enumerate(m.blocks):
            for body in _fewer(block.body):
                yield m.with_blocks((*m.blocks[:i], Block(block.head, body), *m.blocks[i + 1 :]))

    yield from _each(model, smaller)


def _fewer(body: tuple[Statement, ...]) -> Iterator[tuple[Statement, ...]]:
    for i, statement in enumerate(body):
        yield body[:i] + body[i + 1 :]
        for block in statement.blocks:
            yield (*body[:i], *block, *body[i + 1 :])
        if len(statement.blocks) > 1:
            yield (*body[:i], replace(statement, blocks=statement.blocks[:1], between=()), *body[i + 1 :])
        for j, block in enumerate(statement.blocks):
            for less in _fewer(block):
                blocks = (*statement.blocks[:j], less, *statement.blocks[j + 1 :])
                yield (*body[:i], replace(statement, blocks=blocks), *body[i + 1 :])
        if statement.text.startswith("LOCAL ") and "," in statement.text:
            names = statement.text.removeprefix("LOCAL ").split(", ")
            for name in names:
                yield (*body[:i], Statement(f"LOCAL {', '.join(n for n in names if n != name)}"), *body[i + 1 :])


def _expressions(model: Model) -> Iterator[Model]:
    def smaller(m: Mechanism) -> Iterator[Mechanism]:
        for i, block in enumerate(m.blocks):
            for body in _simpler_body(block.body):
                yield m.with_blocks((*m.blocks[:i], Block(block.head, body), *m.blocks[i + 1 :]))

    yield from _each(model, smaller)


def _simpler_body(body: tuple[Statement, ...]) -> Iterator[tuple[Statement, ...]]:
    for i, statement in enumerate(body):
        for j, expression in enumerate(statement.expressions):
            for simple in _simpler(expression):
                parts = (*statement.expressions[:j], simple, *statement.expressions[j + 1 :])
                yield (*body[:i], replace(statement, expressions=parts), *body[i + 1 :])
        for j, block in enumerate(statement.blocks):
            for less in _simpler_body(block):
                yield (
                    *body[:i],
                    replace(statement, blocks=(*statement.blocks[:j], less, *statement.blocks[j + 1 :])),
                    *body[i + 1 :],
                )


def _simpler(expression: Expression) -> Iterator[Expression]:
    if expression.parts:
        yield Expression("0.5")
        yield from expression.parts
    for i, part in enumerate(expression.parts):
        for simple in _simpler(part):
            yield Expression(expression.text, (*expression.parts[:i], simple, *expression.parts[i + 1 :]))


def _declarations(model: Model) -> Iterator[Model]:
    def smaller(m: Mechanism) -> Iterator[Mechanism]:
        for i in range(len(m.ions)):
            yield replace(m, ions=m.ions[:i] + m.ions[i + 1 :])
        for field in ("nonspecific", "electrode", "states"):
            names = getattr(m, field)
            for i in range(len(names)):
                yield replace(m, **{field: names[:i] + names[i + 1 :]})

    yield from _each(model, smaller)
