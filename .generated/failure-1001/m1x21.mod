NEURON {
    SUFFIX m1x21
    NONSPECIFIC_CURRENT i0, i1
    RANGE p0, p1, q1, gbar0, erev0, gbar1, held0, goal0, goal1, tau1
    GLOBAL p2
}
PARAMETER {
    p0 = -0.0526
    p1 = 1.35
    p2 = 0.166
    q1 = 0.931
    vol0 = 0.752
    gbar0 = 5.26e-05 (S/cm2)
    erev0 = -54.3 (mV)
    gbar1 = 0.000305
    erev1 = 6.1 (mV)
}
ASSIGNED {
    held0
    goal0
    goal1
    goal2
    tau0
    tau1
    tau2
    h1
    h2
    i0
    i1
    v
    celsius
}
STATE {
    s0 s1 s2
}

BREAKPOINT {
    SOLVE advance METHOD runge
    i0 = gbar0*s1*(v - erev0)
    i1 = gbar1*s1*(v - erev1)
}

INITIAL {
    vol0 = (0.1 + 1/(1 + exp(-(p2))))
    held0 = sin(2*((1.02 (mV) + p1)/2 + (1.01 (mV)/0.98)*0.3)/2)
    rates(v)
    s0 = goal0
    s1 = 1/(1 + exp(-(1/(1 + exp(-(v + 47)/4)))))
    s2 = 0
    helper()
}

PROCEDURE helper() {
    LOCAL z, q
    z = 0.5*p1*0.5*p2*(v + 72)/42
    q = (-(p2))
    IF (v <= -65) {
        q = (v + 56)/87
    }
    ELSE {
        q = (p0/(1.1 + tanh(held0)))*0.3
    }
    q = p2
    h1 = 0.5*0.3*q1^(v + 55)/53*1.13 (mV)
    IF (held0 >= p2) {
        h1 = tanh(0.4*((-0.869))^2)
    }
    h2 = (0.6*(0.6*0.02*((v + 55))/(1.02 - exp(-((v + 55))/9)) - 0.4*(v + 79)/42) - 0.4*((0.508 + p1)/2 + (0.6*p0 - 0.4*s0))/2)
}

DERIVATIVE advance {
    LOCAL y, z
    y = (exp(-(1.04)^2) + tanh(p1))/2
    z = (-(((v + 39)/45 + (v + 55)/62)/2))
    rates(v)
    s0' = (goal0 - s0)/(tau0)
    s1' = (goal1 - s1)/(tau1)
    IF (v >= -50) {
        s2' = (goal2 - s2)/(tau2)
    }
    ELSE {
        s2' = (goal2 - s2 - 0.3*s2*s2*s2)/(tau2)
    }
}

PROCEDURE rates(u) {
    goal0 = 1/(1 + exp(-((0.6*0.4*(p1)^2 - 0.4*1.22 (mV)))))
    tau0 = 2*pow(3, (celsius - 16)/5*0.1)
    goal1 = 1/(1 + exp(-((0.6*0.1*(((u + 40) + 0.013)/8)/(exp(((u + 40) + 0.013)/8) - 1) - 0.4*(0.6*(u + 58)/55 - 0.4*p0)))))
    tau1 = 2*1/((q1 + 0.748)/2 + 0.2)
    goal2 = 1/(1 + exp(-(atan2(0.5*0.507 (mV)*held0, (0.2 + fabs(p1))))))
    tau2 = 2*(0.3 + 0.5*(sin(2*(u + 52)/44))^2)
}
