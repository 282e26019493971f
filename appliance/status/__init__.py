"""Tier 2: how things are.  Board of services, counters, histories, metrics."""
