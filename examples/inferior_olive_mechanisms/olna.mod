TITLE Sodium current of an inferior-olive cell, in soma and axon; its activation is instantaneous

NEURON {
    SUFFIX olna
    NONSPECIFIC_CURRENT i
    RANGE g, e, half, slowness
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    g = 0.003 (S/cm2)
    e = 55 (mV)
    : -60 mV and 1.5 ms in the axon
    half = -70 (mV)
    slowness = 3 (ms)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

STATE { h }

INITIAL { h = hinf(v) }

BREAKPOINT { LOCAL m
    SOLVE states METHOD cnexp
    m = 1/(1 + exp(-(v + 30)/5.5))
    i = g*m*m*m*h*(v - e)
}

DERIVATIVE states {
    h' = (hinf(v) - h)/(slowness*exp(-(v + 40)/33))
}

FUNCTION hinf(v) { hinf = 1/(1 + exp((v - half)/5.8)) }
