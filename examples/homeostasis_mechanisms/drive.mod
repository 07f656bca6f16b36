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
    pi = 3.141592653589793
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

: Two uniform numbers make a normal one (Box and Muller): cheaper to follow than random_normal, which draws until it fits.
PROCEDURE walk() { LOCAL keep, a, b
    keep = exp(-rate*dt)
    a = random_uniform(xi)
    b = random_uniform(xi)
    u = keep*u + sigma*sqrt((1 - keep*keep)/(2*rate))*sqrt(-2*log(a))*cos(2*pi*b)
}
