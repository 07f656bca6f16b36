NEURON {
    POINT_PROCESS m1x16
    USEION k READ ek WRITE ik
    RANGE p0, p1, gbar0, held0, goal0, goal1, on0
}
PARAMETER {
    p0 = 0.529
    p1 = -0.149
    q0 = 0.937 (mM)
    gbar0 = 0.00459 (uS)
}
ASSIGNED {
    held0
    goal0
    goal1
    tau0
    on0
    ek
    ik
    v
}
STATE {
    s0 s1
}

BREAKPOINT {
    SOLVE advance METHOD cnexp
    ik = gbar0*0.5*((-1.34) + 0.819)/2*tanh(p1)*10
}

INITIAL {
    LOCAL x, q, p1
    x = 0.5
    q = (-((0.6*(v + 33)/73 - 0.4*0.374 (mV))))
    p1 = tanh(((v + 76)/81/2)*0.3)
    IF (!(v >= -30)) {
        LOCAL x
        x = 1/(1 + exp((v + 20)/5.5))
        x = atan2((-(p0)), (0.3 + 0.5*(q)^2))
    }
    IF ((v + 38)/76 > (v + 46)/87) {
        x = 0.5*0.5*(0.6*(v + 34)/76 - 0.4*p1)*(-0.928)*(0.6*(q + (v + 49)/88)/2 - 0.4*0.5*q*(-0.0963))
        held0 = 1/(1 + exp(-(v + 65 + 3*q)/9))
    }
    ELSE {
        held0 = tanh(tanh(x))
    }
    rates(v)
    s0 = 1/(1 + exp(-(tan(0.4*(v + 60)/58))))
    s1 = 1/(1 + exp((v + 57)/7))
    on0 = 0
    net_send(0, 1)
}

NET_RECEIVE(w) {
    IF (flag == 1) {
        WATCH (v < -58.3) 2
    }
    ELSE IF (flag == 2) {
        on0 = on0*0.3 + 0.4
    }
    ELSE IF (flag == 3) {
        on0 = 0.05
    }
    ELSE {
        s0 = s0 + 0.3*w
        s1 = s1 + 0.3*w
        on0 = on0*0.5 + 0.3*w
    }
}

DERIVATIVE advance {
    s0' = (goal0 - s0)/(q0)
    s1' = (goal1 - s1)/(tau0)
}

PROCEDURE rates(vm) {
    goal0 = 1/(1 + exp(-(0.5)))
    goal1 = 1/(1 + exp(-(held0)))
    tau0 = 2*(0.2 + fabs((0.828 + p1)/2))
}
