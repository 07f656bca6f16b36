"""The rooms of the Python package: how large files and folders are, and who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import gradmod
import pytest

ROOT = Path(gradmod.__file__).parent
LINES = 400
FILES = 16

#: What each room may import, itself aside. A public module may import all rooms, and other public modules.
ROOMS: Mapping[str, str] = {
    "_process": "errors",
    "_neuron": "errors",
    "_manifest": "errors",
    "_command": "errors",
    "_features": "errors",
    "_transfers": "errors _neuron",
    "_model": "errors parameters samples _command _neuron _manifest _transfers",
    "_currents": "errors parameters membrane_currents _neuron _manifest _model",
    "_build": "errors _command _neuron _manifest _model _transfers",
    "_emitted": "errors samples waveform _neuron _manifest _process _model",
    "_guards": "errors parameters samples waveform _command _neuron _manifest _model _emitted",
    "_outside": "errors field_waveform samples _command _neuron _manifest _model _emitted _guards",
    "_forward": "errors parameters _currents _command _process _neuron _manifest _model _emitted _guards _outside",
    "_reverse": "errors field_waveform parameters samples membrane_currents gradient trace _currents _command _neuron "
    "_manifest _process _model _build _emitted _guards _outside",
    "_variable": "errors gradient parameters samples _command _neuron _manifest _model _build _emitted _guards",
    "_simulation": "errors parameters samples membrane_currents _currents played profile trace attach reverse "
    "variable_step _process _neuron _model _reverse _variable",
    "_problem": "errors features membrane_currents objective parameters reverse simulation _neuron _model _simulation",
    "_fit": "errors _process _neuron _model _problem",
    "_pypesto": "errors _model _problem _fit",
    "_checkpoint": "errors homeostat _neuron _guards",
    "_bluepyopt": "errors parameters profile features fit _neuron _model _features",
}
#: Public modules that rooms import: they import no room but these.
LOW: Mapping[str, str] = {
    "errors": "",
    "gradient": "",
    "parameters": "errors _neuron",
    "played": "errors parameters _neuron",
    "profile": "errors parameters _neuron",
    "membrane_currents": "errors _neuron",
    "samples": "errors parameters _neuron",
    "waveform": "parameters samples _neuron",
    "field_waveform": "errors parameters samples _neuron",
    "trace": "errors membrane_currents _currents _neuron _model",
}


def _modules() -> dict[str, Path]:
    return {
        ".".join(("gradmod", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in sorted(ROOT.rglob("*.py"))
    }


MODULES = _modules()


def _imports(module: str) -> Iterator[str]:
    """The modules of gradmod that a module imports: anywhere in it, for types too."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join((*parts, *filter(None, [node.module])))
            for alias in node.names:
                if f"{base}.{alias.name}" in MODULES and f"{base}.{alias.name}" != f"gradmod.{alias.name}.{alias.name}":
                    yield f"{base}.{alias.name}"
                elif base in MODULES:
                    yield base


def _room(module: str) -> str:
    """The room, or the public module, that a module belongs to."""
    return f"{module}.".split(".")[1]


def test_no_circles() -> None:
    """No two modules need each other, be it for types only."""
    try:
        TopologicalSorter({module: set(_imports(module)) - {module} for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_arrows() -> None:
    """Rooms import only what stands below them."""
    allowed = {**ROOMS, **LOW}
    wrong = [
        f"{module} imports {other}"
        for module in MODULES
        if _room(module) in allowed
        for other in _imports(module)
        if _room(other) not in {_room(module), *allowed[_room(module)].split()}
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_is_known() -> None:
    """A new private package says what it may import."""
    found = {_room(module) for module in MODULES if _room(module).startswith("_")}
    assert found == set(ROOMS)


def test_private_rooms_only() -> None:
    """No private module stands beside the public ones."""
    assert [path.name for path in ROOT.glob("_*.py")] == ["__init__.py"]


def test_sizes() -> None:
    """Files can be read at once, folders be looked over; the public modules stand side by side."""
    files = {str(path.relative_to(ROOT)): path for path in MODULES.values()}
    long = [name for name, path in files.items() if len(path.read_text(encoding="utf-8").splitlines()) > LINES]
    folders = {path.parent for path in MODULES.values()} - {ROOT}
    crowded = [str(folder) for folder in folders if len(list(folder.glob("*.py"))) > FILES]
    assert not long + crowded
