TITLE Low-threshold calcium current of an inferior-olive cell's soma

NEURON {
    SUFFIX olcal
    NONSPECIFIC_CURRENT i
    RANGE g, e
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    g = 0.0015 (S/cm2)
    e = 120 (mV)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

STATE { k l }

INITIAL {
    k = kinf(v)
    l = linf(v)
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g*k*k*k*l*(v - e)
}

DERIVATIVE states {
    : tau of k is 1 ms
    k' = kinf(v) - k
    l' = (linf(v) - l)/ltau(v)
}

FUNCTION kinf(v) { kinf = 1/(1 + exp(-(v + 61)/4.2)) }
FUNCTION linf(v) { linf = 1/(1 + exp((v + 85)/8.5)) }
FUNCTION ltau(v) { ltau = 20*exp((v + 160)/30)/(1 + exp((v + 84)/7.3)) + 35 }
