TITLE Fast potassium current of an inferior-olive cell, in soma and axon

NEURON {
    SUFFIX olk
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
    e = -75 (mV)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

STATE { x }

INITIAL { x = alpha(v)/(alpha(v) + beta(v)) }

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g*x*x*x*x*(v - e)
}

DERIVATIVE states {
    x' = alpha(v)*(1 - x) - beta(v)*x
}

: 0.13 (v + 25)/(1 - exp(-(v + 25)/10))
FUNCTION alpha(v) {
    IF (fabs(v + 25) < 1e-4) {
        alpha = 1.3 + 0.065*(v + 25)
    } ELSE {
        alpha = 0.13*(v + 25)/(1 - exp(-(v + 25)/10))
    }
}
FUNCTION beta(v) { beta = 1.69*exp(-(v + 35)/80) }
