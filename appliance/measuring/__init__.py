"""Tier 8: what this machine can carry, measured with the code that carries it."""
