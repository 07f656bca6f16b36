TITLE Delayed rectifier of an inferior-olive cell's soma

NEURON {
    SUFFIX olkdr
    NONSPECIFIC_CURRENT i
    RANGE g, e
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    g = 0.003 (S/cm2)
    e = -75 (mV)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

STATE { n }

INITIAL { n = ninf(v) }

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g*n*n*n*n*(v - e)
}

DERIVATIVE states {
    n' = (ninf(v) - n)/(5 + 47*exp((v + 50)/900))
}

FUNCTION ninf(v) { ninf = 1/(1 + exp(-(v + 3)/10)) }
