"""The model of one mechanism that a certificate is made with: a cell, what drives it, and its values."""
