NEURON {
    SUFFIX m1x20
    USEION k READ ek WRITE ik
    USEION na WRITE ina
    RANGE p0, gbar0, gbar1, arr0, h1
}
PARAMETER {
    p0 = 0.265
    q0 = 2.14
    gbar0 = 0.000353
    gbar1 = 0.000559 (S/cm2)
    erev0 = -34 (mV)
}
ASSIGNED {
    arr0[3]
    held0
    h1
    ek
    ik
    ina
    v
}
STATE {
    s0 s1
}

INITIAL {
    FROM i = 0 TO 2 {
        arr0[i] = exp(-(p0)^2)
    }
    held0 = asin(0.9*tanh(sinh(0.5*sin(2*0.883))))
    IF (1.5 (mV) >= p0) {
        s0 = 0.1
    }
    ELSE {
        s0 = 1/(1 + exp((v + 62 + 3*p0)/12))
    }
    s1 = 0
    helper(v)
}

BREAKPOINT {
    SOLVE advance METHOD cnexp
    ik = gbar0*s1*(v - ek)
    ina = gbar1*s0^1.5*(v - erev0)
}

DERIVATIVE advance {
    s0' = (1/(1 + exp(-(v + 64)/12)) - s0)/((0.3 + 0.5*pow(0.5*1.38*1.23, 2)))
    IF (0.685 (mV) >= (v + 60)/81) {
        s1' = 1/(1 + exp(-((v + 65)/40)))*(1 - s1)*0.3 - q0*s1*0.2
    }
    ELSE {
        s1' = (1/(1 + exp(-((v + 65)/40))) - s1)/(q0)
    }
}

PROCEDURE helper(v) {
    LOCAL y, aux
    y = sin(2*s1^1.5)
    aux = 0.2*((acos(0.9*sin((v + 51)/51)) - 1.5))^3
    h1 = 0.5*(-0.19)*(acos(0.9*sin((1.33 (mV) + aux)/2)) - 1.5)
}
