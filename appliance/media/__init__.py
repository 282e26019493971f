"""Tier 2: media as data.  Pure: no Trio, no files, no sockets, no clock of its own."""
