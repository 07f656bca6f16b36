"""The user's own certificate: one .mod file, its gradients, and finite differences of the unmodified mechanism.

``gradmod check FILE...`` runs ``python -m gradmod.check FILE`` once per file, in a process of its own. The steps:
`source` (what the file declares), `compiled` (stock NEURON's verdict), `surroundings` (ions that somebody must move),
`cell` (a small branched cell with the mechanism) with `instances` (where it stands) and `values` (of its parameters),
`emitted` (what the compiler makes of it), `drive` and `probes` (runs that move it), `candidates` (parameters and how to
change them), `forward` (gradients), `differences` and `judge` (gradient beside difference), `sides` (kinks under a
difference), `backwards` (reverse mode), `certificate` (all of it).

What is run. RANGE parameters have other values in every place but the first, which has those of the file; lengths,
diameters, capacitances differ too. Point processes stand beside each other in one segment and in another one, with
other events each, whose weights are raised until they move the voltage. Two long runs lead the voltage through its
range, one more goes farther if a parameter does nothing in both. Short ones, in `probes`, are for places that no run
meets by chance: `kinks` finds where a current jumps or bends in v, and a run comes just below, where NEURON's slope
crosses it; STATEs that start at 0. If gradmod refuses a short run the file is not refused; ``drives`` says what was
compared. Each RANGE parameter is a direction everywhere and one in a single section or instance: what one place takes
from another, as through a GLOBAL that INITIAL sets, shows only there. The first run is made again after all others.

How it is decided. Every trace (the voltage of every segment, the states of two) is compared with `gradmod.finite`.
The deviation is the largest distance over the trace relative to the largest value of the trace, and the differences
say how far they can be trusted on the same scale. A trace is *exact* if the deviation is at most 1e-6; a *mismatch*
if it is above that and above five times the uncertainty of the differences (a hundred times with TABLEs, whose grid
points lie within any step), also after a finer sweep and one of small steps only, which does not jump over two kinks
beside each other; else *undecided*: the differences are too bad to tell. A second run must have the gradients of the
first. The uncertainty of differences includes what `sides` sees of kinks and jumps right at the parameter's value,
where central differences agree with each other and mean nothing. A parameter is exact if no trace is a mismatch and at
least one is exact, and not *exercised* if nothing moved in any run.

Reverse mode goes through the same runs. The gradient of a sum of all traces with random weights must be forward mode's
to 1e-9 of the sum of the absolute addends, in every parameter; else the verdict is *mismatch*, unless forward mode's
own changes by as much where the run begins 1e-13 mV elsewhere: rounding decides there. A run that forward mode
refuses is compared with differences of that sum instead. What reverse mode does not take is *refused* in the field
``reverse`` only.
"""
