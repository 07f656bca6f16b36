NEURON {
    SUFFIX m1x30
    USEION na READ ena, nai WRITE ina
    RANGE p0, q0, gbar0
}
PARAMETER {
    p0 = -0.158
    q0 = 0.339 (mM)
    gbar0 = 0.000122 (S/cm2)
}
ASSIGNED {
    h0
    h1
    ena
    nai
    ina
    v
}
STATE {
    s0
}

INITIAL {
    s0 = 1/(1 + exp(-(cos(0.885))))
    helper()
}

BREAKPOINT {
    SOLVE advance
    ina = gbar0*s0*(v - ena)
}

PROCEDURE advance() {
    s0 = s0 + (1/(1 + exp((v + 49)/12)) - s0)*dt/(2*1/(q0 + 0.2) + dt)
}

PROCEDURE helper() {
    h0 = fabs(p0)
    h1 = (-(tanh(0.1*(((v + 30.5) + 0.013)/11)/(exp(((v + 30.5) + 0.013)/11) - 1))))
}
