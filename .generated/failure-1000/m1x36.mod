NEURON {
    SUFFIX m1x36
    NONSPECIFIC_CURRENT i0
    RANGE p1, gbar0, rate0, g0
    GLOBAL erev0, vol0
}
PARAMETER {
    p1 = -0.514
    gbar0 = 6.77e-05 (S/cm2)
    erev0 = -68.2 (mV)
}
ASSIGNED {
    vol0
    rate0
    g0
    i0
    v
}
STATE {
    s0 s1
}

INITIAL {
    vol0 = exp(0.6*1.05)
    s0 = 0.3733
    s1 = 0.6267
}

BREAKPOINT {
    SOLVE advance METHOD sparse
    g0 = gbar0*(1 + 0.008*v)*s0
    i0 = g0*(v - erev0)
}

KINETIC advance {
    rate0 = 0.5*((0.1 + 1/(1 + exp(-(v + 56 + 3*p1)/12))) + sqrt(0.459))/2
    ~ s0 <-> s1 (rate0, 0.6*exp(0.6*(v + 48)/63))
    CONSERVE s0 + s1 = 1
}
