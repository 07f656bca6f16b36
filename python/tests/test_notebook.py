"""The notebook: from top to bottom, twice, interrupted and resumed, in odd order; it leaves no process."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

NOTEBOOK = Path(__file__).parents[2] / "examples" / "sweeps.ipynb"


class Session:
    """A kernel, and the cells of the notebook."""

    def __init__(self, folder: Path) -> None:
        self.notebook = nbformat.read(NOTEBOOK, 4)
        self.client = NotebookClient(
            self.notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        )
        self.code = [i for i, cell in enumerate(self.notebook.cells) if cell.cell_type == "code"]

    def run(self, index: int) -> str:
        """What a cell prints."""
        cell = self.client.execute_cell(self.notebook.cells[index], index)
        return "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")

    def find(self, text: str) -> int:
        """The first cell with this in it."""
        return next(i for i in self.code if text in self.notebook.cells[i].source)

    @property
    def workers(self) -> list[int]:
        """Processes of loky that the kernel has started, and that live."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_text()
                state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if "popen_loky" in command and state != "Z" and int(parent) == self.client.km.provisioner.pid:
                found.append(int(path.name))
        return found


def pictures(cell: Any) -> int:
    """How many a cell shows."""
    return sum("image/png" in out.get("data", {}) for out in cell.outputs)


@pytest.fixture
def session(tmp_path: Path) -> Any:
    made = Session(tmp_path)
    with made.client.setup_kernel():
        yield made


def test_top_to_bottom_twice_and_interrupted(session: Session, tmp_path: Path) -> None:
    starts = session.find("from_starts")
    for index in session.code[: session.code.index(starts)]:
        session.run(index)
    assert not session.workers

    def interrupt() -> None:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("sweeps/start-*.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)
        running.extend(session.workers)
        os.killpg(session.client.km.provisioner.pgid, signal.SIGINT)  # as Jupyter does

    running: list[int] = []
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(CellExecutionError, match="KeyboardInterrupt"):
        session.run(starts)
    thread.join()
    assert running
    assert not session.workers
    first = session.run(starts)
    assert "4 of 4 starts came to an end" in first
    for index in session.code[session.code.index(starts) + 1 :]:
        said = session.run(index)
    assert [line.split()[0] for line in said.splitlines()] == ["gna", "gk", "reach", "low", "high", "cm", "Ra"]
    for line in said.splitlines():
        _, value, _, truth, *_, error, _ = line.split()
        assert abs(float(value) / float(truth) - 1) < 4 * float(error) / 100, line
    assert sum(pictures(session.notebook.cells[i]) for i in session.code) == 2
    again = [session.run(index) for index in session.code]
    assert first in again
    assert again[-1] == said
    assert not session.workers


def test_in_odd_order(session: Session) -> None:
    """The starts before the fit, the data made anew in between."""
    texts = ("import tempfile", "SWC =", "true_cell", "def make_problem")
    for text in texts:
        session.run(session.find(text))
    small = session.find("least_squares")
    cell = session.notebook.cells[small]
    cell.source = cell.source.replace("runs=60", "runs=4")
    many = session.notebook.cells[session.find("from_starts")]
    many.source = many.source.replace("runs=40", "runs=3").replace("folder=folder", 'folder="sweeps"')
    assert "4 of 4 starts" in session.run(session.find("from_starts"))
    session.run(session.find("true_cell"))
    assert "after 4 evaluations" in session.run(small)
    session.run(session.find("SWC ="))
    assert "after 4 evaluations" in session.run(small)
    assert not session.workers
