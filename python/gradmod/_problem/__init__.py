"""What is to be fitted: free parameters, and sweeps with targets."""
