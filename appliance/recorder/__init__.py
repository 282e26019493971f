"""Tier 6: what is kept of what cameras send, and what people mark in it."""
