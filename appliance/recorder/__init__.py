"""Tier 6, the recorder: writes what cameras send into files, keeps an index of them, reads them again, makes room."""
