"""Abuses that the appliance has to survive, by the ids of the list in docs/abuse.md."""
