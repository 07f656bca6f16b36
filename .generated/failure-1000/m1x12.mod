NEURON {
    POINT_PROCESS m1x12
    USEION k WRITE ik
    RANGE q0, gbar0
    GLOBAL p0
}
PARAMETER {
    p0 = -0.599
    q0 = 2.03 (ms)
    gbar0 = 0.00544 (uS)
}
ASSIGNED {
    on0
    ik
    v
}
STATE {
    s0
}

INITIAL {
    s0 = 1/(1 + exp(-(v + 47)/7))
    on0 = 0
}

BREAKPOINT {
    SOLVE advance METHOD cnexp
    ik = gbar0*(20*log(q0)*0.5 + v + 60)
}

FUNCTION f0(u) {
    LOCAL z, q, q0
    z = 0.3*pow((0.433 + 1.75)/2, (0.6*u - 0.4*p0))
    q = 0.1*(((0.6*z - 0.4*p0) + 0.013)/10)/(exp(((0.6*z - 0.4*p0) + 0.013)/10) - 1)
    q0 = ((0.477/1.04)*0.3 + (0.6*0.216 - 0.4*(-0.184)))/2
    f0 = sin(2*log(1.54)*0.5)
}

FUNCTION f1(u) {
    LOCAL y
    y = (0.6*(0.6*u - 0.4*p0) - 0.4*(-(0.0829)))
    y = f0(f0(ceil(2*(-0.138))/3))
    f1 = 0.02*(1.46)/(1.02 - exp(-(1.46)/8))
    FROM i = 0 TO 1 {
        f1 = (0.5*f1 + 0.5*0.3*pow((1.2 + sin(y)), f0(y)))
    }
}

DERIVATIVE advance {
    s0' = 0.1*1/(1 + exp(-(v + 47)/5.5)) - s0/(exp(0.6*0.5*p0*p0))
}

NET_RECEIVE(w) {
    IF (flag == 0) {
        s0 = s0 + 0.3*w
        net_send(1.44, 1)
    }
    ELSE {
        on0 = on0*0.4
    }
}
