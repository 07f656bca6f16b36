NEURON {
    SUFFIX m1x29
    NONSPECIFIC_CURRENT i0
    RANGE p1, q0, erev0, held0, h1
}
PARAMETER {
    p1 = 0.493
    q0 = 1.19 (mM)
    gbar0 = 8.65e-05 (S/cm2)
    erev0 = -49.9 (mV)
}
ASSIGNED {
    held0
    h1
    i0
    v
}
STATE {
    s0 s1 s2
}

BREAKPOINT {
    SOLVE advance METHOD euler
    i0 = gbar0*s0*(v - erev0)
}

INITIAL {
    LOCAL z
    z = exp(-(0.5)^2)
    IF (v <= -65) {
        z = log10((0.3 + 0.5*(p1)^2))
    }
    ELSE {
        z = atan2((0.6*1.29 (mV) - 0.4*p1), (0.3 + 0.5*(0.508)^2))
    }
    held0 = sinh(0.5*0.5*0.5*(v + 35)/63*z*(z/0.596)*0.3)
    s0 = 0
    s1 = 1/(1 + exp(-(v + 62 + 3*p1)/12))
    s2 = 0
    helper(v)
}

PROCEDURE helper(v) {
    h1 = 0.5*0.2*((-0.39))^3*0.4*((v + 37)/53)^2
    IF ((v <= -62) || (held0 >= held0)) {
        h1 = asin(0.9*tanh(log10(q0)))
    }
}

DERIVATIVE advance {
    s0' = 0.1*1/(1 + exp(-(0.4*pow((-1.02), 2)))) - s0/((1.1 + tanh(((v + 58)/73 + held0)/2)))
    s1' = -s1/sqrt((1.46 + q0)/2)
    s2' = (1/(1 + exp((v + 54)/5.5)) - s2)/((0.3 + 0.5*pow((0.6*(v + 57)/57 - 0.4*(v + 36)/60), 2)))
}
