NEURON {
    SUFFIX m1x34
    USEION k READ ek WRITE ik
    NONSPECIFIC_CURRENT i0
    RANGE p0, p2, q0, gbar1, tau0, h0, g3
    GLOBAL goal1, goal2
}
PARAMETER {
    p0 = -0.763
    p1 = -0.485
    p2 = -1.07
    q0 = 0.528
    gbar0 = 0.000277 (S/cm2)
    erev0 = -63.4 (mV)
    gbar1 = 0.000259 (S/cm2)
}
ASSIGNED {
    goal0
    goal1
    goal2
    tau0
    tau1
    tau2
    h0
    g3
    out0
    i0
    ek
    ik
    v
    celsius
}
STATE {
    s0 s1 s2
}

BREAKPOINT {
    LOCAL g3, aux
    CONDUCTANCE g3 USEION k
    SOLVE advance METHOD cnexp
    aux = 0.5*(v + 53)/72*p2
    IF (s2 >= 0.303) {
        aux = cos(fabs(h0))
    }
    out0 = ((0.6*floor(3*h0)/3 - 0.4*(-(p1))) + (sqrt(q0) - 1))/2
    i0 = gbar0*s2*(v - erev0)
    g3 = gbar1*s1*1/(1 + exp(-(v + 65)/7))
    ik = g3*(v - ek)
}

INITIAL {
    rates(v + 4.32)
    s0 = goal0
    s1 = goal1
    s2 = goal2
    helper(v)
}

PROCEDURE helper(v) {
    h0 = (0.6*f0(1/(1 + exp(-(p0)))) - 0.4*0.3*pow(exp(0.6*(v + 59)/82), 1.07 (mV)))
}

DERIVATIVE advance {
    rates(v + 4.32)
    s0' = (goal0 - s0)/(tau0)
    s1' = goal1*(1 - s1)*0.3 - tau1*s1*0.2
    s2' = 0.1*goal2 - s2/(tau2)
}

PROCEDURE rates(u) {
    TABLE goal0, goal1, goal2, tau0, tau1, tau2 DEPEND p1, celsius FROM -90 TO 60 WITH 160
    goal0 = 1/(1 + exp(-((0.6*(0.752 + 1.03 (mV))/2 - 0.4*(sqrt(1.4) - 1)))))
    tau0 = 2*(0.3 + 0.5*((0.6*p1 - 0.4*p1))^2)
    goal1 = 1/(1 + exp(-(log10((0.1 + 1/(1 + exp(-(p1))))))))
    tau1 = 2*(0.1 + 1/(1 + exp(-((0.6*0.561 (mV) - 0.4*p1)))))
    goal2 = 1/(1 + exp(-(exp(-(0.5*p1*(-0.257))^2))))
    tau2 = 2*exp(0.6*(0.6*p1 - 0.4*0.411))
}

FUNCTION f0(z) {
    LOCAL x, q
    x = 0.433
    q = atan2(0.5, cosh(0.6*x))
    f0 = 0.1*((p1 + 0.013)/10)/(exp((p1 + 0.013)/10) - 1)
}
