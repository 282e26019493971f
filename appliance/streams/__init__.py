"""Tier 7: hubs, viewers, and who is served what."""
