TITLE Hands events on while it is open

NEURON {
    ARTIFICIAL_CELL Gate
    RANGE open
}

PARAMETER { open = 1 }

NET_RECEIVE (w) {
    IF (open == 1) {
        net_event(t)
    }
}
