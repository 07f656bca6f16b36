NEURON {
    SUFFIX m1x33
    NONSPECIFIC_CURRENT i0
    RANGE gbar0, erev0, g0
    GLOBAL q0, q1
}
PARAMETER {
    p0 = 0.0806
    q0 = 1.37 (ms)
    q1 = 1.44
    gbar0 = 0.00057
    erev0 = -23
}
ASSIGNED {
    g0
    i0
    v
}
STATE {
    s0 s1 s2
}

BREAKPOINT {
    CONDUCTANCE g0
    SOLVE advance METHOD cnexp
    g0 = gbar0*(1 + 0.008*v)*s1
    i0 = g0*(v - erev0)
}

INITIAL {
    s0 = 1/(1 + exp(-(v + 63)/4))
    s1 = 0.186
    s2 = 1/(1 + exp(-(atan2((-0.34), 2.12))))
}

DERIVATIVE advance {
    LOCAL x, q, q0
    x = sin(2*f0(p0))
    q = log10(f1((v + 53)/58, x))
    q0 = (sqrt(exp(0.6*(-0.981))) - 1)
    x = 0.5
    s0' = (1/(1 + exp(-(v + 44)/7)) - s0)/(exp(0.6*(sqrt(1.83) - 1)))
    s1' = (1/(1 + exp((v + 39)/7)) - s1)/(sqrt(cosh(0.6*p0)))
    s2' = (1/(1 + exp(-(v + 24)/5.5)) - s2)/(sqrt(q0))
}

FUNCTION f1(y, z) {
    LOCAL q
    q = f0(y)
    IF ((-0.189) > y) {
        f1 = 1.62
    }
    ELSE {
        IF (q <= p0) {
            q = 0.3*0.669^f0(y)
        }
        ELSE {
            q = tan(0.4*0.5*1.36 (mV)*y)
        }
        f1 = q1
    }
}

FUNCTION f0(q1) {
    LOCAL q, aux
    q = 0.5*p0*0.5*p0*1.14
    aux = (0.5*(-1.01)*0.656 + 1/(1 + exp(-(q))))/2
    aux = 0
    WHILE (aux < 3) {
        q1 = (0.4*q1 + 0.5*q1)
        aux = aux + 1
    }
    aux = 0.3*aux
    f0 = (0.6*log(2.09)*0.5 - 0.4*(fmod(3*(-1.08), q0)*0.4/(0.2 + fabs(p0)))*0.3)
}
