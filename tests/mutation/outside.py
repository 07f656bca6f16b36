"""Mutants of what the generator has no business with: the beginnings of their names, and the reasons."""

OUTSIDE: dict[str, str] = {
    "event: copies are compared": "a check of what the model does beside the recorder",
    "event: currents are compared": "the same",
    "descent: residual": "a check of what is changed from outside",
    "descent: axial current": "how exact that check is",
    "array: balances": "a check of what is changed from outside",
    "settled: ": "what INITIAL has made is set by a script",
    "v: noticed": "v is set by a script",
    "second order: another order": "a setting of NEURON is changed after the gradients were made",
    "spike: ": "spike times are the limit of small steps, not the derivative of one run",
    "event: what it does by its time": "spike times",
    "event: how long it waits": "spike times",
    "homeostat: ": "a controller changes the run",
    "unheard events: ": "of the controller",
    "EXTERNAL: ": "mechanisms that share variables are made by hand",
    "memo: not seen": "refuses what could be differentiated: no gradient is wrong",
    "memo: forced": "the same",
    "history: ": "what one run leaves to the next: the generator takes models whose runs are all alike",
    "inert: turned to": "a NetCon is turned to another point process by a script",
    "a block that calls itself": "only illegal programs have one",
}
