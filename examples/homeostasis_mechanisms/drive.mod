TITLE Noisy current: gain times the fourth power of an Ornstein-Uhlenbeck process

COMMENT
u' = -rate u + sigma W, advanced by its exact solution for one step. The numbers are those of a stream of
random numbers (RANDOM) that can be set to a place: the noise is frozen.
ENDCOMMENT

NEURON {
    SUFFIX drive
    NONSPECIFIC_CURRENT i
    RANGE gain, rate, sigma, u
    RANDOM xi
}

UNITS {
    (mA) = (milliamp)
    (uA) = (microamp)
}

PARAMETER {
    gain = 0.06 (uA/cm2)
    rate = 0.1 (/ms)
    sigma = 0.7
}

ASSIGNED {
    i (mA/cm2)
    u
}

INITIAL { u = 0 }

BREAKPOINT {
    SOLVE walk
    i = -(1e-3)*gain*u*u*u*u
}

PROCEDURE walk() { LOCAL keep
    keep = exp(-rate*dt)
    u = keep*u + sigma*sqrt((1 - keep*keep)/(2*rate))*random_normal(xi)
}
