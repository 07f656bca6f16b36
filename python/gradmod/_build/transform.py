"""From sources to emitted mechanisms: ``gradmod transform``, and a cache of what it makes."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._command.binary import find_binary
from .._manifest.gradients import Manifest
from .._manifest.reverse import ReverseManifest
from .._manifest.variable import VariableManifest
from .._model.regions import Source
from ..errors import Diagnostic, Error, Refused
from .cache import SEAL, cache_directory, kept, publish, scratch

_log = logging.getLogger("gradmod")


@dataclass(frozen=True)
class Request:
    """What is to be differentiated: all that determines the emitted files.

    ``regions`` are (name, mechanisms in NEURON's order); ``wrt`` parameter names; ``directions`` is K; ``spike_times``:
    the times of events are differentiated; ``online`` gradients can act on the run; ``variables``: POINTERs may see
    variables, not voltages only; ``secondorder``: NEURON's setting in the runs to come; ``extracellular``:
    how many layers it has, where there is any; ``transferred``: variables, as "Gap.vgap", that NEURON copies voltages
    into.
    """

    sources: tuple[Source, ...]
    regions: tuple[tuple[str, tuple[str, ...]], ...]
    points: tuple[str, ...]
    wrt: tuple[str, ...]
    directions: int
    mode: str = "forward"
    spike_times: bool = False
    online: bool = False
    variables: bool = False
    secondorder: int = 0
    extracellular: int = 0
    transferred: tuple[str, ...] = ()

    def key(self, binary: Path) -> str:
        """A hash of everything that the emitted files depend on."""
        parts: list[Any] = [
            _content_hash(binary),
            [(source.name, source.text) for source in self.sources],
            [self.regions, self.points, self.wrt, self.directions, self.mode, self.spike_times, self.online],
            self.variables,
            self.secondorder,
            self.extracellular,
            self.transferred,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Build:
    """What the compiler emitted, in the cache."""

    directory: Path
    manifest: Manifest


@dataclass(frozen=True)
class ReverseBuild:
    """What the compiler emitted for reverse mode, in the cache."""

    directory: Path
    manifest: ReverseManifest


@dataclass(frozen=True)
class VariableBuild:
    """What the compiler emitted for the variable step, in the cache."""

    directory: Path
    manifest: VariableManifest


def build(request: Request, edition: int = 0) -> Build:
    """Emit what was requested, or take it from the cache.

    Args:
        request: What.
        edition: Another number gives the same mechanisms by other names.

    Raises:
        Refused: The compiler cannot differentiate the sources.
        Error: It failed.
    """
    place = _emitted(request)
    made = Build(place, Manifest.read(place / "gradmod.json"))
    if edition == 0:
        return made
    again = _renamed(made, edition)
    return Build(again, Manifest.read(again / "gradmod.json"))


def _renamed(made: Build, edition: int) -> Path:
    """The same files with another hash in all names."""
    before = made.manifest.solver.name.rpartition("_")[2]
    after = hashlib.sha256(f"{before} {edition}".encode()).hexdigest()[: len(before)]
    name = hashlib.sha256(f"{made.directory.name} {edition}".encode()).hexdigest()[:24]
    place = kept(name)
    if place is None:
        with scratch() as directory:
            renamed = directory / "emitted"
            renamed.mkdir()
            for path in made.directory.iterdir():
                if path.name == SEAL:
                    continue
                text = path.read_text(encoding="utf-8").replace(f"_{before}", f"_{after}")
                (renamed / path.name.replace(f"_{before}", f"_{after}")).write_text(text, encoding="utf-8")
            place = publish(renamed, cache_directory() / name)
    return place


def build_reverse(request: Request) -> ReverseBuild:
    """Emit what a request whose ``mode`` is "reverse" asks for."""
    place = _emitted(request)
    return ReverseBuild(place, ReverseManifest.read(place / "gradmod.json"))


def build_variable(request: Request) -> VariableBuild:
    """Emit what a request whose ``mode`` is "variable" asks for."""
    place = _emitted(request)
    return VariableBuild(place, VariableManifest.read(place / "gradmod.json"))


def build_homeostat(expression: str, *, turns: bool, directions: int) -> Path:
    """Emit the mechanisms of a homeostat, or take them from the cache; see ``gradmod homeostat``.

    Args:
        expression: What is measured, in NMODL.
        turns: It is an angle, and counts how often it goes round.
        directions: K.

    Returns:
        The directory that holds them.

    Raises:
        Refused: The expression is wrong.
        Error: The compiler failed.
    """
    binary = find_binary()
    parts = [_content_hash(binary), "homeostat", expression, turns, directions]
    name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
    place = kept(name)
    if place is None:
        with scratch() as directory:
            made = directory / "emitted"
            command = [str(binary), "homeostat", "--measure", expression, "--directions", str(directions)]
            command += ["-o", str(made), "--message-format", "json", *(["--turns"] if turns else [])]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
            if done.returncode != 0:
                raise _failure(done, {"--measure": f"measure {expression!r}"})
            place = publish(made, cache_directory() / name)
    return place


def _emitted(request: Request) -> Path:
    binary = find_binary()
    name = request.key(binary)
    place = kept(name)
    if place is None:
        with scratch() as directory:
            made = directory / "emitted"
            _transform(binary, request, directory / "sources", made)
            place = publish(made, cache_directory() / name)
    return place


def _transform(binary: Path, request: Request, sources: Path, out: Path) -> None:
    sources.mkdir()
    out.mkdir()
    origin: dict[str, str] = {}
    for source in request.sources:
        path = sources / f"{source.name}.mod"
        path.write_text(source.text, encoding="utf-8")
        origin[str(path)] = _original(source)
    command = [str(binary), "transform", *origin, "-o", str(out), "--message-format", "json"]
    command += [part for name, mechanisms in request.regions for part in ("--region", f"{name}={','.join(mechanisms)}")]
    command += [part for point in request.points for part in ("--point", point)]
    command += [part for name in request.wrt for part in ("--wrt", name)]
    command += ["--directions", str(request.directions)]
    command += ["--online"] if request.online else ["--mode", request.mode]
    command += ["--spike-times"] if request.spike_times else []
    command += ["--pointed-variables"] if request.variables else []
    command += ["--secondorder", str(request.secondorder)]
    command += ["--extracellular", str(request.extracellular)] if request.extracellular else []
    command += [part for name in request.transferred for part in ("--transferred", name)]
    _log.debug("running %s", command)
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        raise _failure(done, origin)


def _original(source: Source) -> str:
    """What to call a source in messages: its own path if it still says the same, else its name."""
    path = Path(source.path)
    try:
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == source.text:
            return str(path)
    except OSError:
        pass
    return f"{source.name}.mod"


def _failure(done: subprocess.CompletedProcess[str], origin: dict[str, str]) -> Error:
    diagnostics: list[Diagnostic] = []
    rest: list[str] = []
    for line in done.stderr.splitlines():
        try:
            diagnostics.append(Diagnostic.from_json(json.loads(line), origin))
        except (ValueError, AttributeError, TypeError):
            rest.append(line)
    errors = tuple(d for d in diagnostics if d.level in ("error", "refusal"))
    if done.returncode == 1 and errors:
        text = "\n".join(str(diagnostic) for diagnostic in errors)
        return Refused(f"no exact gradient of this model:\n{text}", errors)
    text = "\n".join([*(str(d) for d in diagnostics), *rest]) or "it said nothing"
    return Error(f"gradmod transform failed with exit code {done.returncode}:\n{text}")


def _content_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def request_of(
    sources: Sequence[Source],
    regions: Sequence[tuple[str, tuple[str, ...]]],
    points: Sequence[str],
    wrt: Sequence[str],
    directions: int,
    mode: str = "forward",
    *,
    spike_times: bool = False,
    online: bool = False,
    variables: bool = False,
    secondorder: int = 0,
    extracellular: int = 0,
    transferred: Sequence[str] = (),
) -> Request:
    """Put a request together in an order that depends on its content only."""
    return Request(
        tuple(sorted(sources, key=lambda source: source.name)),
        tuple(sorted(regions)),
        tuple(sorted(set(points))),
        tuple(sorted(set(wrt))) or ("cm",),
        directions,
        mode,
        spike_times,
        online,
        variables,
        secondorder,
        extracellular,
        tuple(sorted(set(transferred))),
    )
