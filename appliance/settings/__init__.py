"""Tier 3: what the administrator chose.  One frozen dataclass per tab, ranges in one place."""
