"""The user's own certificate: one .mod file, its gradients, and finite differences of the unmodified mechanism.

``gradmod check FILE...`` runs ``python -m gradmod.check FILE`` once per file, in a process of its own. The steps:
`source` (what the file declares), `compiled` (stock NEURON's verdict), `surroundings` (ions that somebody must move),
`cell` (a small branched cell with the mechanism), `drive` (runs that move it), `candidates` (parameters and how to
change them), `judge` (gradient beside difference), `sides` (kinks under a difference), `backwards` (reverse mode
beside forward mode), `certificate` (all of it).

How it is decided. Every trace (the voltage of every segment, the states of two) is compared with `gradmod.finite`.
The deviation is the largest distance over the trace relative to the largest value of the trace, and the differences
say how far they can be trusted on the same scale. A trace is *exact* if the deviation is at most 1e-6; a *mismatch*
if it is above that and above five times the uncertainty of the differences (a hundred times with TABLEs, whose grid
points lie within any step), also after a finer sweep and one of small steps only, which does not jump over two kinks
beside each other; else *undecided*: the differences are too bad to tell. A second run must have the gradients of the
first. Their uncertainty includes what `sides` sees of kinks and jumps right at the parameter's value, where central
differences agree with each other and mean nothing. A parameter is exact if no trace is a mismatch and at least one is
exact, and not *exercised* if nothing moved: then other drives are tried.

Reverse mode goes through the same runs. The gradient of a sum of all traces with random weights must be forward mode's
to 1e-9 of the sum of the absolute addends, in every parameter; else the verdict is *mismatch*. What reverse mode does
not take is *refused* in the field ``reverse`` only.
"""
