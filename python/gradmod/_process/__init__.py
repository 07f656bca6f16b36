"""This process and its copies: Ctrl-C, memory that copies see too, and copies that end with it."""
