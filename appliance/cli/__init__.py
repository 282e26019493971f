"""Tier 10: the command line."""
