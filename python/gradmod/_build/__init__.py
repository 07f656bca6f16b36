"""From the sources of a model to mechanisms that NEURON has loaded: emitted, compiled, and kept in a cache."""
