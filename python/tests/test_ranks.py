"""Networks on several MPI ranks and in several threads: the gradients are those of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from models import network, twig
from neuron import h

MPIEXEC = Path(sysconfig.get_path("scripts")) / "mpiexec"
LIBRARIES = sorted(Path(sys.prefix, "lib").glob("libmpi.so.*"))


@pytest.fixture
def threads() -> Iterator[Any]:
    """NEURON's way to set how many threads there are; one again afterwards."""
    context = h.ParallelContext()
    yield context.nthread
    context.partition()
    context.nthread(1)
    context.gid_clear()


@pytest.fixture
def cells(threads: Any) -> network.Network:
    return network.build()


def parts() -> list[list[str]]:
    context = h.ParallelContext()
    return [[sec.name() for sec in context.get_partition(i)] for i in range(int(context.nthread()))]


def test_threads(cells: network.Network, threads: Any) -> None:
    gradients, recorded = network.attached(cells)
    one = network.run(recorded)
    for count in (2, 3, 1, 2):
        threads(count)
        assert network.run(recorded) == one
    threads(2)
    gradients.detach()
    h.finitialize(-65)
    assert [len(part) for part in parts()] == [5, 5]


def test_ions_and_pools_in_threads(threads: Any) -> None:
    one, other = (twig.Twig(("cah", "capool", "nashell", "sk")) for _ in range(2))
    other.stimulus.amp = 0.4
    wanted = {f"one_{name}": parameter for name, (parameter, _, _) in one.directions().items()}
    wanted["other"] = gradmod.Range("gbar_cah", other.all)
    gradients = gradmod.attach(quiet=True, **wanted)
    records = {name: [gradients.record(*place) for place in one.watched] for name in wanted if name != "other"}
    records["other"] = [gradients.record(*place) for place in other.watched]

    def run() -> list[Any]:
        one.run(0.1, 6.0)
        return [np.array(record[name]) for name, of in records.items() for record in of]

    alone = run()
    threads(2)
    assert all(np.array_equal(a, b) for a, b in zip(alone, run(), strict=True))
    gradients.detach()


def test_reverse_mode_in_threads(threads: Any) -> None:
    one, other = (twig.Twig(("cah", "capool", "nashell", "sk")) for _ in range(2))
    other.stimulus.amp = 0.4
    wanted: dict[str, Any] = {f"one_{name}": parameter for name, (parameter, _, _) in one.directions().items()}
    wanted["other"] = gradmod.PerSegment("gbar_cah", other.all)
    with gradmod.Reverse(wanted, quiet=True) as reverse:
        traces = [reverse.record(*place) for cell in (one, other) for place in cell.watched]

        def gradient(later: int = 0) -> list[Any]:
            def simulate() -> None:
                if later:
                    threads(later)
                one.run(0.1, 6.0)

            h.dt = 0.1
            reverse.run(6.0, simulate=simulate)
            samples = len(traces[0].values)
            found = reverse.gradient({t: np.sin(i + np.arange(samples)) for i, t in enumerate(traces)})
            return [np.array(found[name]) for name in wanted]

        alone = gradient()
        assert np.any(alone[-1])
        for count in (2, 1, 2):
            threads(count)
            assert all(np.array_equal(a, b) for a, b in zip(alone, gradient(), strict=True))
        threads(1)
        assert all(np.array_equal(a, b) for a, b in zip(alone, gradient(later=2), strict=True))


def test_windows_are_had_in_one_thread_only(threads: Any) -> None:
    cell = twig.Twig(("cah",))
    threads(2)
    with gradmod.Reverse(gbar=gradmod.PerSegment("gbar_cah", cell.all), memory=0.006, quiet=True) as reverse:
        reverse.record(*cell.watched[0])
        h.dt = 0.1
        with pytest.raises(
            gradmod.Refused, match="2 threads, and a run in several windows is supported in one thread only"
        ):
            reverse.run(6.0, simulate=lambda: cell.run(0.1, 6.0))


def test_events_in_reverse_mode_are_had_in_one_thread_only(cells: network.Network, threads: Any) -> None:
    soma, _, _ = cells.cells[0]
    threads(2)
    with (
        gradmod.Reverse(na=gradmod.Range("gnabar_hh", [soma]), quiet=True) as reverse,
        pytest.raises(gradmod.Refused, match="NET_RECEIVE is supported in one thread only"),
    ):
        reverse.run(5.0)


def test_the_users_own_distribution_over_threads_is_kept(cells: network.Network, threads: Any) -> None:
    threads(2)
    context = h.ParallelContext()
    roots = [soma for soma, _, _ in cells.cells.values()]
    mine = [roots[::3], [root for i, root in enumerate(roots) if i % 3]]
    for i, part in enumerate(mine):
        context.partition(i, h.SectionList(part))
    before = parts()
    gradients, recorded = network.attached(cells)
    network.run(recorded)
    assert parts() == before
    gradients.detach()
    h.finitialize(-65)
    assert parts() == before


def test_a_cell_that_is_made_later_gets_a_thread(cells: network.Network, threads: Any) -> None:
    threads(2)
    gradients, recorded = network.attached(cells)
    one = network.run(recorded)
    late = h.Section(name="late")
    assert network.run(recorded) == one
    assert sum("late" in part for part in parts()) == 1
    gradients.detach()
    h.finitialize(-65)
    h.delete_section(sec=late)


def test_what_is_had_in_one_thread_only(cells: network.Network, threads: Any) -> None:
    soma, dendrite, _ = cells.cells[0]
    threads(2)
    gradients = gradmod.attach(na=gradmod.Range("gnabar_hh", [soma]), spike_times=True, quiet=True)
    recording = gradients.record(dendrite(0.5))
    h.finitialize(-65)
    with pytest.raises(gradmod.Error, match=r"a spike whose time has a derivative .* is supported in one thread only"):
        recording["na"]
    gradients.detach()


@pytest.mark.parametrize("settings", [[], ["spike_times"]])
@pytest.mark.skipif(not (MPIEXEC.is_file() and LIBRARIES), reason="there is no MPI: pip install mpich")
def test_ranks(cells: network.Network, settings: list[str]) -> None:
    _gradients, recorded = network.attached(cells, spike_times=bool(settings))
    alone = network.run(recorded, network.ALL if settings else network.SHARED)
    if settings:  # what cell 0 is given changes others, on whatever rank, by the times of its spikes
        assert sum(float(digests[-1]) > 0 for digests in alone.values()) > network.CELLS / 2
    for ranks in (1, 2, 3) if settings else (1, 2):
        done = subprocess.run(
            [str(MPIEXEC), "-n", str(ranks), sys.executable, "-m", "models.network", *settings],
            cwd=Path(__file__).parent,
            env=os.environ | {"MPI_LIB_NRN_PATH": str(LIBRARIES[-1])},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
        assert f"numprocs={ranks}" in done.stdout + done.stderr
        assert {int(gid): digests for gid, digests in found.items()} == alone
