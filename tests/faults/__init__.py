"""Faults of the world around the appliance, by the ids of the list in docs/abuse.md."""
