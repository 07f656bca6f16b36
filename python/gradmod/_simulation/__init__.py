"""How a simulation gets its derivatives, and what it keeps of its runs."""
