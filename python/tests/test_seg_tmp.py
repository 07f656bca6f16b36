import pytest
from models import comparing
import test_events, test_constructs
def test_a(monkeypatch):
    monkeypatch.setattr(comparing, "wrong", lambda *a: {"x": "y"})
    try:
        fn, args = test_events.test_synapse, ("HoldSyn",)
        fn(*args)
    finally:
        monkeypatch.undo()
def test_b():
    from neuron import h
    import sys
    print([x.name() for x in h.allsec()], h.List("NetCon").count(), file=sys.stderr)
    for name in ("HoldSyn",):
        for p in h.List(name): print(p, p.get_segment() if p.has_loc() else None, file=sys.stderr)
    for n in h.List("NetCon"): print(n, n.pre(), n.syn(), n.valid(), n.precell(), n.preloc() if not n.pre() else None, file=sys.stderr)
    h.pop_section()
    import gc; print(gc.get_count(), file=sys.stderr)

    test_constructs.test_construct("runge, with the time in it")
