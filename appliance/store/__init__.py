"""Tier 2: what is kept.  One SQLite database and one key in the data folder, behind two calls.

========================  ==============================================================================
`store`                   `open_store` (server, async) and `open_store_directly` (command line, no server)
`tables`                  the tables, SQLAlchemy Core
`revisions`               where a database stands among them
`migrate`, `migrations`   how an older database becomes today's (Alembic), one module per step
`sqlite`                  all that is particular to SQLite: opening, transactions, backups, what its errors mean
`folder`                  the data folder: made private, locked by one process, files written whole or not at all
`secretbox`               secrets at rest: encrypted with the key of the data folder, bound to their row
========================  ==============================================================================

The rooms above keep what is asked often in memory and change it in step with the store: see ``then`` of
`Store.write`.
"""

from appliance.store.secretbox import SecretBox
from appliance.store.store import DirectStore, Store, open_store, open_store_directly

__all__ = ["DirectStore", "SecretBox", "Store", "open_store", "open_store_directly"]
