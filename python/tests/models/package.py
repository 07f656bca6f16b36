"""The test cell with channels of somebody else's: those of a layer-5 pyramidal cell, from a package on PyPI.

The wheel is downloaded when a test needs it, once per cache, and never imported.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from . import branched
from .library import load_fixtures

WHEEL = "bluepyemodel==1.0.50"
#: mechanism: conductance at the soma and elsewhere (S/cm2), or None. All of the model's but the stochastic one.
MECHANISMS: dict[str, tuple[float, float] | None] = {
    "CaDynamics_DC0": None,
    "Ca_HVA": (2e-4, 4e-5),
    "Ca_HVA2": (2e-4, 5e-5),
    "Ca_LVAst": (2e-3, 5e-4),
    "Ih": (1e-4, 2e-4),
    "KdShu2007": (2e-3, 2e-4),
    "K_Pst": (4e-3, 5e-4),
    "K_Tst": (1e-2, 2e-3),
    "NaTg": (0.2, 0.02),
    "NaTg2": (0.05, 0.005),
    "Nap_Et2": (3e-4, 6e-5),
    "SK_E2": (5e-3, 2e-3),
    "SKv3_1": (0.15, 0.02),
}
#: A parameter that the package's code computes with, to no effect; gradmod refuses it as a direction.
IDLE = ("q10_KdShu2007",)


def sources() -> Path:
    """The folder of the package's .mod files, downloaded by pip the first time."""
    cache = Path(os.environ.get("GRADMOD_TEST_CACHE", Path(tempfile.gettempdir()) / "gradmod-test-cache"))
    folder = cache / WHEEL.replace("==", "-")
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        private = Path(tempfile.mkdtemp(dir=cache))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--dest", str(private), WHEEL], check=True)
        with zipfile.ZipFile(next(private.glob("*.whl"))) as wheel:
            for member in wheel.namelist():
                if Path(member).stem in MECHANISMS and member.endswith(".mod"):
                    (private / Path(member).name).write_bytes(wheel.read(member))
        with contextlib.suppress(OSError):  # another process was faster
            private.rename(folder)
    return folder


def cell() -> branched.Cell:
    """The branched cell with all of these channels and pas in every section; two spikes within 9 ms."""
    load_fixtures(sources())
    made = branched.build()
    for section in made.all:
        for mechanism in ("pas", *MECHANISMS):
            section.insert(mechanism)
        section.ena, section.ek = 50, -85
        for segment in section:
            segment.pas.g, segment.pas.e = 5e-5, -75
            # Enough calcium for SK to matter after one spike.
            segment.CaDynamics_DC0.gamma, segment.CaDynamics_DC0.decay = 0.8, 20
            for mechanism, conductances in MECHANISMS.items():
                if conductances is not None:
                    own = getattr(segment, mechanism)
                    name = next(name for name in dir(own) if name.endswith("bar"))
                    setattr(own, name, conductances[section is not made.soma])
    made.clamp(amp=1.2)
    return made
