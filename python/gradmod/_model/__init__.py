"""The user's model: its cells and regions, its directions, POINTERs, ions and events."""
