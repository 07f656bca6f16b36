"""The emitted mechanisms in the model, as objects: what stands at a place, and where its numbers are."""
