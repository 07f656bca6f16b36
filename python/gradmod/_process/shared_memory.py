"""Memory that forked copies of this process see too. It never has a name, so nothing can be left behind."""

from __future__ import annotations

import ctypes
import mmap
import os
import tempfile

import numpy as np
from numpy.typing import NDArray

from ..errors import Error

_DOUBLE = 8


class SharedMemory:
    """Doubles in an unnamed file.

    Attributes:
        descriptor: The file's.
        values: [size] the doubles. It stays valid until the memory grows.
    """

    def __init__(self) -> None:
        """There is none yet."""
        self.descriptor = _unnamed()
        self._size = 0
        self._reserved = 0
        self._map: mmap.mmap | None = None
        self.values: NDArray[np.float64] = np.empty(0)

    def grow(self, size: int) -> None:
        """Make room for so many doubles; what was there stays.

        Raises:
            Error: There is no room.
        """
        if size > self._reserved:
            try:
                os.posix_fallocate(self.descriptor, 0, size * _DOUBLE)
            except OSError as error:
                raise Error(
                    f"no room for {size * _DOUBLE / 2**20:.0f} MiB of trajectories ({error.strerror}): lower `memory`"
                ) from error
            self._reserved = size
        self.see(size)

    def see(self, size: int) -> None:
        """Map so many doubles; those that nobody has made room for take up memory when they are first written."""
        if size > self._size:
            if os.fstat(self.descriptor).st_size < size * _DOUBLE:
                os.ftruncate(self.descriptor, size * _DOUBLE)
            self._map = mmap.mmap(self.descriptor, size * _DOUBLE)
            self.values = np.frombuffer(self._map, dtype=np.float64)
            self._size = size

    def address(self, offset: int = 0) -> float:
        """The address of a double, as emitted mechanisms take it: exact in a double below 2^53."""
        assert self._map is not None
        return float(ctypes.addressof(ctypes.c_char.from_buffer(self._map)) + offset * _DOUBLE)

    def close(self) -> None:
        """Give the descriptor back; the mapping goes with the last array that shows it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        self.values = np.empty(0)
        self._map = None
        self._size = self._reserved = 0


def _unnamed() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("gradmod")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
