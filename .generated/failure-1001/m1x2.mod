NEURON {
    SUFFIX m1x2
    ELECTRODE_CURRENT ie0
    RANGE p0, p1, q0, erev0, goal2, tau1
    GLOBAL gbar0
}
PARAMETER {
    p0 = -0.0152
    p1 = -0.118
    q0 = 2.44
    gbar0 = 0.000334 (S/cm2)
    erev0 = -77.6 (mV)
}
ASSIGNED {
    goal0
    goal1
    goal2
    tau0
    tau1
    tau2
    ie0
    v
    celsius
}
STATE {
    s0 s1 s2
}

INITIAL {
    rates(v)
    s0 = 0.798
    s1 = 0.871
    s2 = goal2
}

BREAKPOINT {
    SOLVE advance METHOD cnexp
    ie0 = -gbar0*1/(1 + exp(-((acos(0.9*sin((p0 + p1)/2)) - 1.5))))*(v - erev0)
}

FUNCTION f0(x, u) {
    LOCAL y, q0
    y = (-1.28)
    q0 = 0.5*(0.6*u - 0.4*1.08)*tanh(x)
    f0 = log(1/((0.1 + 1/(1 + exp(-((-1.19))))) + 0.2))*0.5
}

PROCEDURE rates(u) {
    goal0 = 1/(1 + exp((u + 59)/7))
    tau0 = 2*exp(0.6*0.3*pow(1.11, 0.51 (mV)))
    goal1 = 1/(1 + exp(-((u + 80)/45)))
    tau1 = 2*pow(3, (celsius - 16)/6*0.1)
    goal2 = 1/(1 + exp(-(u + 23)/9))
    tau2 = 2*pow(3, (celsius - 16)/3*0.1)
}

DERIVATIVE advance {
    rates(v)
    s0' = 0.1*goal0 - s0/(tau0)
    IF (p0 < p0) {
        s1' = -s1/tau1
    }
    ELSE {
        s1' = 0.1*goal1 - s1/(tau1)
    }
    s2' = (goal2 - s2)/(tau2)
}
