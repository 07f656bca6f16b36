NEURON {
    POINT_PROCESS m1x1
    USEION na READ ena WRITE ina
    RANGE p1, q0, gbar0, on0
}
PARAMETER {
    p1 = 0.476
    q0 = 2.15
    gbar0 = 0.00176
}
ASSIGNED {
    on0
    ena
    ina
    v
}
STATE {
    s0 s1
}

INITIAL {
    s0 = 0.2
    s1 = 0.2
    on0 = 0.2
}

BREAKPOINT {
    SOLVE advance
    ina = gbar0*(exp(-(0.543)^2)/(0.3 + 0.5*(on0)^2))*0.3*10
}

NONLINEAR advance {
    ~ s0 + 0.2*tanh(s0*0.3*pow(q0, p1)) = tan(0.4*p1)
    ~ s1 + 0.2*tanh(s1*(v + 43)/42) = log(1.37)*0.5
}

NET_RECEIVE(w, trace) {
    INITIAL {
        trace = 0.452
    }
    IF (flag == 0) {
        trace = 0.7*trace + 0.1
        on0 = on0*0.5 + 0.3*w*trace
        net_send(0.801, 1)
    }
    ELSE {
        on0 = 0
    }
}
