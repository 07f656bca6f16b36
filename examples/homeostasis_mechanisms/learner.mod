TITLE A noisy drive whose gain follows a local rule of plasticity

COMMENT
sense is the leaky average of a function of the voltage; the gain moves towards what brings it to the target, by an
integral and a proportional part:  level' = integral (target - sense),  gain = level + proportional (target - sense).
The noise is that of drive.mod.
ENDCOMMENT

NEURON {
    SUFFIX learner
    NONSPECIFIC_CURRENT i
    RANGE start, integral, proportional, target, tau, rate, sigma, u, gain
    RANDOM xi
}

UNITS {
    (mA) = (milliamp)
    (mV) = (millivolt)
    (uA) = (microamp)
}

PARAMETER {
    start = 0.06 (uA/cm2)
    integral = 1e-7
    proportional = 1e-4
    target = 4
    tau = 2000 (ms)
    rate = 0.1 (/ms)
    sigma = 0.7
    pi = 3.141592653589793
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
    u
    gain (uA/cm2)
}

STATE {
    level (uA/cm2)
    sense
}

INITIAL {
    u = 0
    level = start
    sense = 2
    gain = start
}

BREAKPOINT {
    SOLVE walk
    SOLVE adapt METHOD cnexp
    gain = level + proportional*(target - sense)
    i = -(1e-3)*gain*u*u*u*u
}

PROCEDURE walk() { LOCAL keep, a, b
    keep = exp(-rate*dt)
    a = random_uniform(xi)
    b = random_uniform(xi)
    u = keep*u + sigma*sqrt((1 - keep*keep)/(2*rate))*sqrt(-2*log(a))*cos(2*pi*b)
}

DERIVATIVE adapt {
    : A spike is above 0 mV for about a ms: its share of the time, in Hz.
    sense' = (1000/(1 + exp(-v/3)) - sense)/tau
    level' = integral*(target - sense)
}
