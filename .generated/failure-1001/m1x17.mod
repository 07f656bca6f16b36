NEURON {
    POINT_PROCESS m1x17
    ELECTRODE_CURRENT ie0
    RANGE p0, gbar0, on0
    GLOBAL after0, erev0
}
PARAMETER {
    p0 = 0.855
    after0 = 1.13
    gbar0 = 0.00475
    erev0 = -14.7 (mV)
}
ASSIGNED {
    arr0[3]
    rate0
    on0
    ie0
    v
}
STATE {
    s0 s1
}

INITIAL {
    FROM i = 0 TO 2 {
        arr0[i] = 0.1*(((v + 55) + 0.013)/5)/(exp(((v + 55) + 0.013)/5) - 1)
    }
    s0 = 0.5065
    s1 = 0.4935
    on0 = 0.164
}

BREAKPOINT {
    SOLVE advance METHOD sparse
    ie0 = -gbar0*on0*(v - erev0)
}

FUNCTION f0(z, u) {
    LOCAL aux
    aux = sinh(0.5*(0.6*(v + 78)/59 - 0.4*z))
    f0 = p0
}

KINETIC advance {
    rate0 = 0.5*(1.1 + tanh((0.6*(v + 60)/80 - 0.4*p0)))
    ~ s0 <-> s1 (rate0, 0.6*(1.2 + sin(0.3*1.59^1.12)))
}

NET_RECEIVE(w) {
    IF (flag == 0) {
        s0 = s0 + 0.3*w
        s1 = s1 + 0.3*w
        net_send(after0, 1)
    }
    ELSE {
        on0 = 0.1
    }
}
