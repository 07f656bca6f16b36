NEURON {
    POINT_PROCESS m1x13
    NONSPECIFIC_CURRENT i0
    ELECTRODE_CURRENT ie0
    RANGE p0, p1, gbar0, gbar1, erev1
    GLOBAL erev0, goal0, goal1
}
PARAMETER {
    p0 = -0.45
    p1 = -0.445
    gbar0 = 0.00478 (uS)
    erev0 = -8.35 (mV)
    gbar1 = 0.000774 (uS)
    erev1 = -45.5 (mV)
}
ASSIGNED {
    goal0
    goal1
    tau0
    i0
    ie0
    v
}
STATE {
    s0 s1
}

BREAKPOINT {
    SOLVE advance METHOD euler
    i0 = gbar0*1/(1 + exp(-(0.4*((v + 33)/54)^2)))*(v - erev0)/(1 + 0.3*exp(-0.06*v))
    ie0 = -gbar1*s1*(v - erev1)
}

INITIAL {
    rates(v)
    s0 = 0
    s1 = goal1
}

DERIVATIVE advance {
    rates(v)
    s0' = 0.1*goal0 - s0/(tau0)
    s1' = (goal1 - s1)/(exp(0.6*f0(p0)))
}

PROCEDURE rates(u) {
    LOCAL x, z
    x = tanh(f0(p1))
    z = f0(f0(p1))
    x = z
    goal0 = 1/(1 + exp(-((0.02*(p1)/(1.02 - exp(-(p1)/5))/(0.2 + fabs((-0.959))))*0.3)))
    tau0 = 2*(0.1 + 1/(1 + exp(-(u + 45)/9)))
    goal1 = 1/(1 + exp((u + 31)/5.5))
}

FUNCTION f0(x) {
    x = (p1 + 0.02*(sinh(0.5*1.41))/(1.02 - exp(-(sinh(0.5*1.41))/12)))/2
    IF (!(p0 > p0)) {
        f0 = 0.5*1/(1 + exp(-(p0)))*(0.6*p1 - 0.4*x)
    }
    ELSE {
        f0 = tanh(1/(1 + exp(-(0.218))))
    }
}
