TITLE Sodium, potassium and leak of the squid axon, with the rates of 1952 (rest at 0 mV)

NEURON {
    SUFFIX squid
    NONSPECIFIC_CURRENT i
    RANGE gna, gk, gl, ena, ek, el
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (mS) = (millisiemens)
}

PARAMETER {
    gna = 120 (mS/cm2)
    gk = 36 (mS/cm2)
    gl = 0.3 (mS/cm2)
    ena = 50 (mV)
    ek = -77 (mV)
    el = -53 (mV)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

STATE { m h n }

INITIAL {
    m = am(v)/(am(v) + bm(v))
    h = ah(v)/(ah(v) + bh(v))
    n = an(v)/(an(v) + bn(v))
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = (1e-3)*(gna*m*m*m*h*(v - ena) + gk*n*n*n*n*(v - ek) + gl*(v - el))
}

DERIVATIVE states {
    m' = am(v)*(1 - m) - bm(v)*m
    h' = ah(v)*(1 - h) - bh(v)*h
    n' = an(v)*(1 - n) - bn(v)*n
}

FUNCTION am(v) { am = part(25 - v) }
FUNCTION bm(v) { bm = 4*exp(-v/18) }
FUNCTION ah(v) { ah = 0.07*exp(-v/20) }
FUNCTION bh(v) { bh = 1/(exp((30 - v)/10) + 1) }
FUNCTION an(v) { an = 0.1*part(10 - v) }
FUNCTION bn(v) { bn = 0.125*exp(-v/80) }

: 0.1 x/(exp(x/10) - 1)
FUNCTION part(x) {
    IF (fabs(x) < 1e-4) {
        part = 1 - x/20
    } ELSE {
        part = 0.1*x/(exp(x/10) - 1)
    }
}
