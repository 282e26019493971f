"""Tier 2: what is kept.  Tables, migrations, one engine in one thread, encryption of secrets."""
