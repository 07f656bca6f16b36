"""Forward mode: gradients that run along with the model."""
