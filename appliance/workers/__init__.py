"""Tier 3: media workers.  The only processes in which libav decodes or encodes."""
