NEURON {
    SUFFIX m1x5
    USEION k WRITE ik
    RANGE q0, gbar0
}
PARAMETER {
    p0 = 0.0216
    q0 = 0.903 (mM)
    gbar0 = 0.000371
}
ASSIGNED {
    h0
    ik
    v
}
STATE {
    s0 s1
}

INITIAL {
    s0 = 0.204
    s1 = 0
    helper()
}

BREAKPOINT {
    SOLVE advance METHOD runge
    ik = gbar0*(sqrt(sqrt(0.82)) - 1)*10
}

FUNCTION f0() {
    LOCAL q
    q = fabs(tanh(0.395))
    f0 = exp(-(q)^2)
}

DERIVATIVE advance {
    LOCAL x, q, q0
    x = f0()
    q = (v + 74)/77
    q0 = 0.5
    s0' = 1/(1 + exp(-(v + 49)/9))*(1 - s0)*0.3 - ((1.1 + tanh(p0)) + q0)/2*s0*0.2
    s1' = (1/(1 + exp((v + 34)/4)) - s1 - 0.3*s1*s1*s1)/(q0)
}

PROCEDURE helper() {
    h0 = s1
}
