NEURON {
    SUFFIX m1x27
    ELECTRODE_CURRENT ie0
    RANGE p1, q0
    GLOBAL gbar0
}
PARAMETER {
    p0 = -1.35
    p1 = 0.209
    q0 = 1.83
    gbar0 = 0.000241 (S/cm2)
    erev0 = -13.4 (mV)
}
ASSIGNED {
    arr0[4]
    ie0
    v
    celsius
}

INITIAL {
    FROM i = 0 TO 3 {
        arr0[i] = ((i*0.3) + (v + 58)/65)/2
    }
}

BREAKPOINT {
    ie0 = -gbar0*1/(1 + exp((v + 32)/12))*(v - erev0)
}

FUNCTION f0(y, z) {
    LOCAL x, aux
    x = 0.5*fabs(p0)*atan2(p1, 0.995)
    aux = (0.6*(1.22/q0)*0.3 - 0.4*(0.6*0.378 - 0.4*0.943))
    f0 = pow(3, (celsius - 16)/2*0.1)
}
