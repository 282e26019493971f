"""Tier 6: sockets to clients.  Hypercorn runner, connections, fan-out of shared bytes, limits."""
