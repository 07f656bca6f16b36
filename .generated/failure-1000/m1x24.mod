NEURON {
    SUFFIX m1x24
    NONSPECIFIC_CURRENT i0, i1, i7
    RANGE p0, p1, p2, gbar0, gbar1, erev1, gbar2, hook0
    GLOBAL q0
}
PARAMETER {
    p0 = 0.229
    p1 = -1
    p2 = 0.228
    q0 = 1.19 (mM)
    gbar0 = 0.000432 (S/cm2)
    gbar1 = 0.000299 (S/cm2)
    erev1 = -79.3
    gbar2 = 3.33e-05 (S/cm2)
}
ASSIGNED {
    arr0[2]
    side0
    held0
    hook0
    i0
    i1
    i7
    v
}
STATE {
    s0
}

INITIAL {
    FROM i = 0 TO 1 {
        arr0[i] = 1.13 (mV)
    }
    held0 = (-(log((0.1 + 1/(1 + exp(-(arr0[1])))))*0.5))
    s0 = 1/(1 + exp(-(v + 29)/12))
}

BREAKPOINT {
    SOLVE advance
    IF (v < -55) {
        i0 = gbar0*(v - (-55))*0.2
    }
    ELSE {
        i0 = gbar0*(v - (-55))*s0
    }
    i1 = gbar1*s0*(v - erev1)/(1 + 0.3*exp(-0.06*v))
}

FUNCTION f0(p2, u) {
    LOCAL x
    x = 0.5*0.5*p2*u*tan(0.4*p0)
    side0 = (0.3 + 0.5*(tanh(0.67 (mV)))^2)
    u = 0
    WHILE (u < 3) {
        p2 = (0.4*p2 + 0.5*asin(0.9*tanh(0.5)))
        u = u + 1
    }
    u = 0.3*u
    f0 = ((0.3 + 0.5*(1.27 (mV))^2) + (0.1 + 1/(1 + exp(-((-0.236))))))/2
}

PROCEDURE advance() {
    LOCAL y, z
    y = (-(tanh(p2)))
    z = (-((acos(0.9*sin(p1)) - 1.5)))
    s0 = s0 + (1/(1 + exp(-(p0))) - s0)*dt/(2*q0 + dt)
}

AFTER SOLVE {
    hook0 = asin(0.9*tanh(0.3*1.88^(v + 51)/50))
}

PROCEDURE hooked() {
    i7 = gbar2*hook0*(v + 60)
}
