"""Problems as pyPESTO sees them: its optimisers, samplers and likelihood profiles."""
