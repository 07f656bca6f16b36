"""Membrane currents: sums of them as traces, and their gradients from those of voltages."""
