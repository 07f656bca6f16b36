"""What is around the membrane where ``extracellular`` is inserted."""
