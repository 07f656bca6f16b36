NEURON {
    SUFFIX m1x38
    USEION na WRITE ina
    NONSPECIFIC_CURRENT i0
    ELECTRODE_CURRENT ie0
    RANGE p0, p1, p2, gbar1, gbar2, held0
    GLOBAL q0, gbar0, erev1
}
PARAMETER {
    p0 = 0.422
    p1 = 1.34
    p2 = -1.15
    q0 = 2.34
    gbar0 = 0.000534
    gbar1 = 0.000351 (S/cm2)
    erev1 = -79.3
    gbar2 = 0.000161 (S/cm2)
}
ASSIGNED {
    held0
    out0
    i0
    ie0
    ina
    v
}
STATE {
    s0 s1 s2
}

INITIAL {
    LOCAL x, aux
    x = (log(1.15)*0.5 + 0.5*(-1.11)*1.21)/2
    aux = log10(1.26)
    x = 0.5*(-0.7)*0.4*((v + 63)/90)^2
    IF ((p0 < p1) || (v > -70)) {
        IF (v < -60) {
            x = cos((-((v + 47)/54)))
        }
        ELSE {
            x = (0.6*cos((v + 58)/47) - 0.4*1/(1 + exp((v + 28)/4)))
        }
        held0 = ((-0.553) + (sqrt(q0) - 1))/2
    }
    ELSE {
        IF (v >= -62) {
            aux = cos(0.1*(((v + 40.5) + 0.013)/6)/(exp(((v + 40.5) + 0.013)/6) - 1))
        }
        ELSE {
            aux = (v + 57)/69
        }
        held0 = p2
    }
    s0 = 1/(1 + exp(-(v + 21)/9))
    s1 = 0
    s2 = 0.148
}

BREAKPOINT {
    SOLVE advance METHOD derivimplicit
    out0 = (0.6*s2 - 0.4*held0)
    FROM i = 0 TO 3 {
        out0 = (0.5*out0 + 0.5*0.5*(sqrt(1.32) - 1)*0.1*(((v + 30) + 0.013)/7)/(exp(((v + 30) + 0.013)/7) - 1))
    }
    ina = gbar0*p2*10
    i0 = gbar1*1/(1 + exp(-(atan(held0))))*(v - erev1)/(1 + 0.3*exp(-0.06*v))
    IF (v < -30) {
        ie0 = 0
    }
    ELSE {
        ie0 = -gbar2*(v - (-30))*1/(1 + exp(-(p2)))
    }
}

DERIVATIVE advance {
    s0' = 0.1*1/(1 + exp(-(tan(0.4*p1)))) - s0/(sqrt((0.1 + 1/(1 + exp((v + 29)/12)))))
    s1' = (1/(1 + exp(-(v + 64)/7)) - s1 - 0.3*s1*s1*s1)/((0.1 + 1/(1 + exp((v + 57)/4))))
    s2' = 1/(1 + exp(-((p1/1.93)*0.3)))*(1 - s2)*0.3 - q0*s2*0.2
}
