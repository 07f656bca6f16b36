: Sodium and leak currents of a mammalian node of Ranvier at 37 degrees, in the form of Sweeney, Mortimer and Durand
: (Proc. 9th Ann. Conf. IEEE EMBS, 1987), after Chiu, Ritchie, Rogart and Stagg (J. Physiol. 292, 1979). There is no
: potassium current: the leak repolarises.

NEURON {
    THREADSAFE
    SUFFIX ranvier
    NONSPECIFIC_CURRENT i
    RANGE gna, gl, ena, el
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gna = 1.445 (S/cm2)
    gl = 0.128 (S/cm2)
    ena = 35 (mV)
    el = -80.01 (mV)
}

STATE { m h }

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = gna*m^2*h*(v - ena) + gl*(v - el)
}

INITIAL {
    m = opening(v)/(opening(v) + closing(v))
    h = recovery(v)/(recovery(v) + inactivation(v))
}

DERIVATIVE states {
    m' = opening(v)*(1 - m) - closing(v)*m
    h' = recovery(v)*(1 - h) - inactivation(v)*h
}

FUNCTION opening(v (mV)) (/ms) {
    opening = (126 + 0.363*v)/(1 + exp(-(v + 49)/5.3))
}

FUNCTION closing(v (mV)) (/ms) {
    closing = opening(v)/exp((v + 56.2)/4.17)
}

FUNCTION inactivation(v (mV)) (/ms) {
    inactivation = 15.6/(1 + exp(-(v + 56)/10))
}

FUNCTION recovery(v (mV)) (/ms) {
    recovery = inactivation(v)/exp((v + 74.5)/5)
}
