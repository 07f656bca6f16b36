TITLE Current activated by hyperpolarisation in an inferior-olive cell's dendrites

NEURON {
    SUFFIX olh
    NONSPECIFIC_CURRENT i
    RANGE g, e
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    g = 0.0025 (S/cm2)
    e = -43 (mV)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

STATE { q }

INITIAL { q = qinf(v) }

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g*q*(v - e)
}

DERIVATIVE states {
    q' = (qinf(v) - q)*(exp(-0.086*v - 14.6) + exp(0.07*v - 1.87))
}

FUNCTION qinf(v) { qinf = 1/(1 + exp((v + 80)/4)) }
