"""Tier 1: what every room may use.  Errors, ids, clocks, watched values, redaction of secrets."""
