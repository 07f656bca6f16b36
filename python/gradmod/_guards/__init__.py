"""What is looked for before, during and after a run, so that no gradient is given that is not exact."""
