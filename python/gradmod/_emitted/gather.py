"""What remembers a run at once for all places of a thread: the emitted mechanism ``gm_gather_...``."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from .. import _neuron as nrn
from .._manifest.reverse import ReverseManifest
from .._model.cells import Cell, Floats
from .._neuron.settings import thread_count
from .._process.shared_memory import SharedMemory


class _Memory(ctypes.Structure):
    """``gmMemory`` (templates/reverse/gather_interface.mod.j2)."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("head", "fixed", "moved", "later", "driven", "present", "log")),
        *(
            (name, ctypes.c_long)
            for name in ("whose", "active", "stride", "first", "room", "recorders", "fixed_room", "log_room")
        ),
        ("recorder", ctypes.c_void_p),
    ]


#: The one that NEURON's mechanism knows last, which must stay where it is.
_aimed: list[_Memory] = []
_owners = itertools.count(1)


class Gather:
    """Copies numbers of the model into a frame in every step.

    Attributes:
        owner: Which of all there are in this process; recorders are told.
        moved: [number of a frame] not 0 where INITIAL had left another value than ``finitialize`` did.
        later: [number of a frame] not 0 where the first step found another value than ``finitialize`` had left, or the
            window before.
        present: [fixed value] as it is now where it may change, of point processes; of others not a number.
        driven: [fixed value] not 0 where it changed along the run; of what INITIAL made, before the first step.
        set_before_first: The numbers of ``later`` in the first window.
    """

    def __init__(self, made: ReverseManifest, cells: Sequence[Cell]) -> None:
        """Put one on the first cell."""
        self._name, self._cells = made.gather, cells
        self._processes = [nrn.new_point_process(made.gather, cells[0].root(0.5))]
        self._memory = _Memory()
        self.owner = self._memory.whose = next(_owners)
        self.set_before_first: Sequence[int] = ()

    def spread(self) -> None:
        """Put one on every cell where there are several threads: one of each thread works, and NEURON calls all."""
        if len(self._processes) == 1 and thread_count() > 1:
            self._processes += [nrn.new_point_process(self._name, cell.root(0.5)) for cell in self._cells[1:]]

    def read(self, kernels: Iterable[int], stride: int, fixed: int) -> None:
        """Take the numbers from what these recorders tell; a frame has ``stride``, and so many are fixed."""
        self._kernels = np.array(sorted(set(kernels)), dtype=np.int64)
        self.moved, self.later = np.zeros(stride), np.zeros(stride)
        memory = self._memory
        memory.stride, memory.recorders = stride, len(self._kernels)
        memory.recorder = self._kernels.ctypes.data
        self.present, self.driven = np.full(fixed, np.nan), np.zeros(fixed)
        memory.driven = self.driven.ctypes.data
        memory.present, memory.fixed_room = self.present.ctypes.data, fixed
        memory.moved, memory.later = self.moved.ctypes.data, self.later.ctypes.data

    def start(self, memory: SharedMemory, frames: int, first: int, room: int, log: int, log_room: int) -> None:
        """Begin to remember; arguments as for ``Recorders.start``."""
        to = self._memory
        to.log, to.log_room = int(memory.address(log)), log_room
        to.head, to.fixed = int(memory.address(frames)), int(memory.address())
        to.first, to.room, to.active = first, room, 1
        self.later[:] = 0.0
        if first == 0:
            self.moved[:] = self.driven[:] = 0.0
        self._processes[0].aim(ctypes.addressof(to))
        _aimed[:] = [to]

    @property
    def present_at(self) -> int:
        """The address of ``present``."""
        return int(self.present.ctypes.data)

    @property
    def first(self) -> int:
        """Number of the time step of the first frame."""
        return int(self._memory.first)

    def finish(self) -> int:
        """Remember the present as the last frame; how many steps were made."""
        steps = int(self._processes[0].finish())
        if self.first == 0:
            self.set_before_first = self.different(self.later)
        return steps

    @property
    def changed(self) -> int:
        """Not 0: the number of the fixed value that changed along the run, plus 1; below 0: something else did."""
        return int(self._processes[0].changed())

    def different(self, flags: Floats) -> Sequence[int]:
        """The numbers where ``moved``, ``later`` or ``driven`` is set."""
        return np.flatnonzero(flags).tolist()

    def stop(self) -> None:
        """Remember nothing more."""
        self._memory.active = 0

    def remove(self) -> None:
        """Take everything away again."""
        self.stop()
        self._processes.clear()
