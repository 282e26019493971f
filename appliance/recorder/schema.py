"""The tables of the index of recordings, an SQLite file of its own.

A year of sixteen cameras are 8.4 million files.  So that a day of one stream is found in a few pages, the narrow rows
of ``files`` lie in the order of stream and time; what a file holds lies apart, in ``contents``.  ``sequences`` says in
few rows when was recorded at all.

``doomed`` are files that are about to be deleted: out of ``files``, so that nobody is shown them, and here until they
are gone from the disk, so that none stays behind after a crash.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 1

STATEMENTS: Final = (
    """CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        camera TEXT NOT NULL,
        name TEXT NOT NULL,
        bytes INTEGER NOT NULL DEFAULT 0,
        UNIQUE (camera, name)
    )""",
    """CREATE TABLE formats (
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        init BLOB NOT NULL
    )""",
    # length, lead: the end and the zero, counted from the start; arrived: by the clock here, in seconds
    """CREATE TABLE files (
        stream INTEGER NOT NULL,
        start INTEGER NOT NULL,
        length INTEGER NOT NULL,
        lead INTEGER NOT NULL,
        size INTEGER NOT NULL,
        arrived INTEGER NOT NULL,
        content INTEGER NOT NULL,
        grows INTEGER NOT NULL,
        PRIMARY KEY (stream, start)
    ) WITHOUT ROWID""",
    "CREATE INDEX growing ON files (stream) WHERE grows",
    """CREATE TABLE contents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        format INTEGER,
        samples BLOB
    )""",
    """CREATE TABLE sequences (
        stream INTEGER NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        PRIMARY KEY (stream, start)
    ) WITHOUT ROWID""",
    """CREATE TABLE doomed (
        stream INTEGER NOT NULL,
        start INTEGER NOT NULL,
        PRIMARY KEY (stream, start)
    ) WITHOUT ROWID""",
    # of the machine, when the index was last used: only when that ends may the last commits be lost
    "CREATE TABLE boots (id TEXT PRIMARY KEY) WITHOUT ROWID",
    f"PRAGMA user_version = {VERSION}",
)
