NEURON {
    SUFFIX m1x4
    USEION na READ ena WRITE ina
    RANGE p0, p1, out0
    GLOBAL q0, gbar0
}
PARAMETER {
    p0 = 0.852
    p1 = -0.218
    q0 = 1.19
    gbar0 = 8.69e-05 (S/cm2)
}
ASSIGNED {
    out0
    ena
    ina
    v
    celsius
}
STATE {
    s0 s1 s2
}

INITIAL {
    SOLVE advance
}

BREAKPOINT {
    LOCAL z
    SOLVE advance
    z = tanh(1/(1 + exp(-(v + 61)/7)))
    out0 = (sqrt((pow(3, (celsius - 16)/6*0.1) + (q0 + 0.41)/2)/2) - 1)
    ina = gbar0*1/(1 + exp(-(v + 60 + 3*s1)/9))*(v - ena)
}

FUNCTION f0(z) {
    LOCAL x, y
    x = (atan2(0.93 (mV), q0) + (0.508 (mV) + 1.1 (mV))/2)/2
    y = (v + 37)/42
    FROM i = 1 TO 2 BY 2 {
        z = (0.4*z + 0.5*x)
    }
    IF (v > -65) {
        f0 = (0.6*log10(q0) - 0.4*(v + 40)/43)
    }
    ELSE {
        x = (0.3*pow(exp(0.6*(v + 79)/47), log10(q0))/q0)*0.3
        f0 = (0.6*(-(z)) - 0.4*sin(2*(v + 51)/86))
    }
}

LINEAR advance {
    ~ 1*s0 + 0.2*f0((v + 72)/72)*s1 + 0.2*f0((-1.42))*s2 = (p1 + (-0.896))/2
    ~ 2*s1 + 0.2*0.2*pow(p0, 3)*s0 + 0.2*(-1.42)*s2 = cos(p1)
    ~ 1*s2 + 0.2*f0(0.408)*s0 + 0.2*p0*s1 = f0(p1)
}
