"""Runs that gradients act on, saved to disk and continued in another process, bit for bit."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from . import _neuron as nrn
from ._checkpoint.fingerprint import difference, fingerprint
from ._checkpoint.restorable import check_restorable, check_saved
from ._model.cells import Floats
from ._model.runs import Begun
from ._neuron import savestate as state
from ._neuron.callbacks import check_between_runs
from ._neuron.netcon_ends import all_netcons
from .errors import Error
from .homeostat import Homeostat

_STATE, _REST, _HISTORIES = "neuron", "gradmod.json", "histories.npz"


def save_run(path: str | Path, *homeostats: Homeostat) -> None:
    """Write down where a run is, so that :func:`restore_run` can go on from there.

    What is written is all of the model, between two steps: every variable of every mechanism, ours included, the events
    on their way, streams of random numbers, GLOBAL variables, thresholds and weights of NetCons, and what
    :meth:`Controller.record` has recorded so far. Other Vectors that record are the script's own.
    The file is complete or is not there: it is written beside ``path`` and moved.

    Args:
        path: The file; one that is there is replaced.
        homeostats: All that are attached to the model.

    Raises:
        Refused: Something acts on the run that cannot be saved, or the gradients do not follow the run; says what.
        Error: There is no run, or it was begun in another process, or another one has begun since.
    """
    if not homeostats:
        raise Error("save_run(path, homeostat): which runs are saved are those of homeostats")
    check_between_runs("save_run()")
    begun = [_begun(homeostat) for homeostat in homeostats]
    for homeostat in homeostats:
        homeostat.check()
    check_restorable(homeostats)
    saved = state.save()
    check_saved(saved)
    rest = {
        "run": {"process": begun[0].process, "number": begun[0].number, "t": float(nrn.h.t)},
        "model": fingerprint(homeostats),
        "globals": state.global_values(),
        "streams": [[*nrn.values(s.get_ids()), s.get_seq()] for s in state.streams()],
        "netcons": [[netcon.threshold, float(netcon.active())] for netcon in all_netcons()],
    }
    histories = io.BytesIO()
    np.savez(histories, *(history.samples for history in _histories(homeostats)))
    path = Path(path)
    scratch = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with scratch.open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr(_STATE, saved.content)
                archive.writestr(_REST, json.dumps(rest))
                archive.writestr(_HISTORIES, histories.getvalue())
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def restore_run(path: str | Path, *homeostats: Homeostat) -> None:
    """Initialise, and put everything where it was when :func:`save_run` was called.

    The script has to build the same model first, with the same homeostats and recordings, made in the same order. Then
    it continues the run (``psolve``, ``continuerun``), without ``finitialize``. What follows is what would have
    followed in the process that was saved, bit for bit. Vectors that the script records begin here.

    Args:
        path: What :func:`save_run` wrote.
        homeostats: As for :func:`save_run`.

    Raises:
        Error: It is of another model, or it is no checkpoint; says where they differ.
        Refused: As for :func:`save_run`.
    """
    check_between_runs("restore_run()")
    content, rest, histories = _read(Path(path))
    check_restorable(homeostats)
    different = difference(rest["model"], fingerprint(homeostats))
    if different:
        raise Error(f"{path} is the checkpoint of another model: {different}")
    saved = state.look(content)
    nrn.h.finitialize()
    for what, present in state.save().layout.items():
        if saved.layout[what] != present:
            raise Error(f"{path} is the checkpoint of another model: {what} are not the same")
    state.set_global_values(rest["globals"])
    for netcon, (threshold, active) in zip(all_netcons(), rest["netcons"], strict=True):
        if netcon.threshold != threshold:
            netcon.threshold = threshold
        netcon.active(bool(active))
    state.restore(content)
    for stream, (*ids, place) in zip(state.streams(), rest["streams"], strict=True):
        stream.set_ids(*ids)
        stream.set_seq(place)
    for history, samples in zip(_histories(homeostats), histories, strict=True):
        history.samples = samples
    if rest["run"]["t"] != float(nrn.h.t):
        raise Error(f"{path}: it was saved at t = {rest['run']['t']:g} ms, what NEURON saved is of {nrn.h.t:g} ms")
    if state.save().content != content:
        raise Error(f"{path}: NEURON did not put everything where it was")


def _begun(homeostat: Homeostat) -> Begun:
    if homeostat.begun is None:
        raise Error("save_run(): there was no run since the homeostat was made")
    homeostat.begun.check("save_run()")
    return homeostat.begun


def _histories(homeostats: tuple[Homeostat, ...]) -> list[Any]:
    return [
        history
        for homeostat in homeostats
        for controller in homeostat.controllers
        for history in controller.histories()
    ]


def _read(path: Path) -> tuple[bytes, dict[str, Any], list[Floats]]:
    try:
        with zipfile.ZipFile(path) as archive:
            histories = np.load(io.BytesIO(archive.read(_HISTORIES)))
            return archive.read(_STATE), json.loads(archive.read(_REST)), [histories[name] for name in histories.files]
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise Error(f"{path} is no checkpoint, or is damaged") from error
