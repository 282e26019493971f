"""Tier 5: where pictures come from.  A *site* is an upstream system, a *source* one stream of one camera."""
