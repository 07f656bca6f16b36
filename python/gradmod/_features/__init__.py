"""Features of traces, each a number with its derivative by the samples; numpy only, without NEURON."""
