"""Fanal: one appliance that lets a person see every camera, live and recorded, from anywhere.

The rooms of this package stand in tiers; see ``docs/architecture.md`` and ``tests/test_layout.py``.
"""

__version__ = "0.1.0"
