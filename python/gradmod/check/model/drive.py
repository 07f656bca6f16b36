"""The kinds of runs of a check."""

from __future__ import annotations

from dataclasses import dataclass

#: Leak conductances that are tried, S/cm2, until the voltage follows.
LEAKS = (3e-4, 3e-3, 3e-2, 0.3, 3.0)


@dataclass(frozen=True)
class Drive:
    """One kind of run.

    Attributes:
        dt, t_stop: ms.
        v_init: mV.
        celsius: degrees.
        tables: Whether TABLEs are used.
        raised: Whether parameters that are 0 by default are given another value.
        leak: Conductance of the leak that leads the voltage, S/cm2.
        reach: How far from the middle of its way the voltage is led, relative to the usual.
        rests: Where the leak draws the voltage to where nothing leads it, mV.
        free: Whether nothing leads the voltage. Such a run is there for one place of the mechanism only, and gradmod
            may refuse it without refusing the file.
        zeroed: Parameters that are 0, as NEURON spells them.
    """

    name: str
    dt: float
    t_stop: float
    v_init: float
    celsius: float
    tables: bool = False
    raised: bool = False
    leak: float = LEAKS[0]
    reach: float = 1.0
    rests: float = -70.0
    free: bool = False
    zeroed: tuple[str, ...] = ()


#: As the file comes; with its TABLEs, if it has some; long, warm, coarse, from another potential.
PLAIN = Drive("plain", 0.025, 16.0, -70.3, 23.0)
DRIVES = (
    PLAIN,
    Drive("tables", 0.05, 10.0, -69.7, 23.0, tables=True),
    Drive("slow", 0.1, 80.0, -58.3, 34.0, raised=True),
)
#: For mechanisms of which a parameter did nothing in all of these.
FAR = Drive("far", 0.025, 16.0, -65.1, 30.0, raised=True, reach=1.6)
