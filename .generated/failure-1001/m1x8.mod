NEURON {
    SUFFIX m1x8
    USEION k READ ek WRITE ik
    NONSPECIFIC_CURRENT i0
    RANGE p0, p1, q0, goal2
    GLOBAL gbar1, goal0, goal1
}
PARAMETER {
    p0 = -1.08
    p1 = 1.22
    p2 = -0.928
    q0 = 0.537 (mM)
    gbar0 = 0.000316 (S/cm2)
    gbar1 = 0.000472
}
ASSIGNED {
    held0
    goal0
    goal1
    goal2
    tau0
    tau1
    i0
    ek
    ik
    v
}
STATE {
    s0 s1 s2
}

BREAKPOINT {
    SOLVE advance METHOD cnexp
    i0 = gbar0*(p1/(0.1 + 1/(1 + exp(-(0.92)))))*0.3*10
    ik = gbar1*1/(1 + exp(-((acos(0.9*sin(f1((v + 64)/51))) - 1.5))))*(v - ek)
}

INITIAL {
    IF ((v <= -50) && ((v + 74)/53 > p1)) {
        held0 = cos((p0 + p0)/2)
    }
    ELSE {
        held0 = f1(0.5*p0*p1)
    }
    rates(v)
    s2 = 0.489
}

DERIVATIVE advance {
    rates(v)
    s0' = 0.1*goal0 - s0/(tau0)
    IF ((p1 <= (v + 31)/70) && (v < -40)) {
        s1' = goal1*(1 - s1)*0.3 - tau1*s1*0.2
    }
    ELSE {
        s1' = (goal1 - s1)/(tau1)
    }
    s2' = goal2*(1 - s2)*0.3 - 1/(q0 + 0.2)*s2*0.2
}

PROCEDURE rates(v) {
    TABLE goal0, goal1, goal2, tau0, tau1 DEPEND p2 FROM -120 TO 50 WITH 160
    goal0 = 1/(1 + exp(-((sqrt((1.2 + sin((v + 58)/77))) - 1))))
    tau0 = 2*0.666
    goal1 = 1/(1 + exp(-(v + 26)/7))
    tau1 = 2*(0.3 + 0.5*(asin(0.9*tanh(p2)))^2)
    goal2 = 1/(1 + exp(-(((v + 68)/44 + ((v + 34)/55 + (v + 50)/46)/2)/2)))
}

FUNCTION f1(p1) {
    f1 = 1/(1 + exp(-(0.504 (mV))))
    IF (p0 < 1.3) {
        f1 = f0((0.6*1.43 - 0.4*p1), (0.6*p2 - 0.4*1.43 (mV)))
    }
}

FUNCTION f0(x, y) {
    IF (1.28 >= y) {
        x = (log((0.3 + 0.5*(1.1)^2))*0.5/sqrt(sqrt(1.52)))*0.3
        f0 = (0.6*sin(2*p1) - 0.4*exp(-(p2)^2))
    }
    ELSE {
        f0 = asin(0.9*tanh(0.5*0.271*(-1.05)))
    }
}
