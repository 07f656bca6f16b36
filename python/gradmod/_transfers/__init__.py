"""Gap junctions by ``ParallelContext.setup_transfer``: voltages that NEURON copies into variables of other places."""
