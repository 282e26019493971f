"""Tier 4: keys, the local authority, certificates, TLS contexts that reload."""
