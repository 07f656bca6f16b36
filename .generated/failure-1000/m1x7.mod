NEURON {
    SUFFIX m1x7
    USEION k READ ek WRITE ik
    NONSPECIFIC_CURRENT i0
    RANGE gbar0, erev0, gbar1
}
PARAMETER {
    p0 = -1.23
    gbar0 = 4.58e-05 (S/cm2)
    erev0 = -21.1 (mV)
    gbar1 = 3.81e-05 (S/cm2)
}
ASSIGNED {
    i0
    ek
    ik
    v
}

BREAKPOINT {
    i0 = gbar0*fabs((0.6*1/(1 + exp(-((v + 53)/87))) - 0.4*(-(p0))))*(v - erev0)
    ik = gbar1*1/(1 + exp(-(v + 53)/4))*(v - ek)
}
