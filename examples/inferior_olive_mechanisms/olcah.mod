TITLE High-threshold calcium of an inferior-olive cell's dendrites, and the potassium current that it opens

COMMENT
The calcium current only fills the pool: it is no part of the membrane current. The pool has no unit; it counts that
current in A/m2 (ten times mA/cm2), as the model that this follows does.
ENDCOMMENT

NEURON {
    SUFFIX olcah
    NONSPECIFIC_CURRENT i
    RANGE g, gk, e, ek
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    g = 0.009 (S/cm2)
    gk = 0.03 (S/cm2)
    e = 120 (mV)
    ek = -75 (mV)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

STATE { r ca s }

INITIAL {
    r = alphar(v)/(alphar(v) + betar(v))
    ca = 3.715
    s = alphas(ca)/(alphas(ca) + 0.015)
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = gk*s*(v - ek)
}

DERIVATIVE states {
    r' = 0.2*(alphar(v)*(1 - r) - betar(v)*r)
    ca' = -3*10*g*r*r*(v - e) - 0.075*ca
    s' = alphas(ca)*(1 - s) - 0.015*s
}

FUNCTION alphar(v) { alphar = 1.7/(1 + exp(-(v - 5)/13.9)) }

: 0.02 (v + 8.5)/(exp((v + 8.5)/5) - 1)
FUNCTION betar(v) {
    IF (fabs(v + 8.5) < 1e-4) {
        betar = 0.1 - 0.01*(v + 8.5)
    } ELSE {
        betar = 0.02*(v + 8.5)/(exp((v + 8.5)/5) - 1)
    }
}

FUNCTION alphas(ca) {
    IF (2e-5*ca < 0.01) {
        alphas = 2e-5*ca
    } ELSE {
        alphas = 0.01
    }
}
