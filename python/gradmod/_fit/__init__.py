"""Fits: methods that minimise, what they keep, and what comes of them."""
