"""What a fit is made of: scales of parameters, targets, what the data tells; without NEURON."""
