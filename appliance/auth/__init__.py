"""Tier 5: who may do what.  Users, rights, sessions, lockout."""
