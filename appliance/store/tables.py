"""The tables.  Ids are UUIDs as text; ``…_at`` are whole seconds since the Unix epoch (UTC); nothing here is SQLite's.

A change of these needs a step in `appliance.store.migrations`; a test compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

#: Named constraints, so that a later migration can take one away on any database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID: Final = String(36)

#: What differs from the defaults of `appliance.settings`, one row per key ``tab.field``.
settings = Table(
    "settings",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, unique=True),  # base.texts.fold(name)
    Column("role", String(32), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id, in its own encoded form
    Column("must_change", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("password_at", BigInteger, nullable=False),
)

#: An upstream system; the appliance's own cameras are the site of kind ``local``.
sites = Table(
    "sites",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

cameras = Table(
    "cameras",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site_id", _ID, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("mask", Text),  # JSON: polygons, their points, x and y as fractions of the picture; null: none
    Column("recording", Text),  # JSON: media.recording_rules; null: never set, it is not recorded
    UniqueConstraint("site_id", "folded"),
)

#: A camera's streams, the largest first (ordinal 0).
streams = Table(
    "streams",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("camera_id", _ID, ForeignKey("cameras.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("url", Text, nullable=False),  # without credentials
    Column("username", LargeBinary),  # sealed, bound to streams/<id>/username
    Column("password", LargeBinary),  # sealed, bound to streams/<id>/password
    UniqueConstraint("camera_id", "ordinal"),
)

#: One right of one user on one camera, or on all of them (camera_id null), those added later too.
grants = Table(
    "grants",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("user_id", _ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("right", String(32), nullable=False),
    Column("camera_id", _ID, ForeignKey("cameras.id", ondelete="CASCADE"), index=True),
    UniqueConstraint("user_id", "right", "camera_id"),
)
# null differs from null in a unique constraint, so "all" has an index of its own; its condition is said for the one
# database that there is: naming another has every command import that one's dialect
Index("uq_grants_all", grants.c.user_id, grants.c.right, unique=True, sqlite_where=grants.c.camera_id.is_(None))

#: What happened at a camera.  ``at`` and ``until`` are ticks of 1/90 000 s, as of recordings.
events = Table(
    "events",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("camera_id", _ID, ForeignKey("cameras.id", ondelete="CASCADE"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_events_camera_id_at", "camera_id", "at"),
)

#: What somebody marked in the recordings of a camera.  ``at`` and ``until`` are ticks as those of events.
bookmarks = Table(
    "bookmarks",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("camera_id", _ID, ForeignKey("cameras.id", ondelete="CASCADE"), nullable=False),
    # null: made at the machine itself, or by somebody who was removed since
    Column("user_id", _ID, ForeignKey("users.id", ondelete="SET NULL"), index=True),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),  # null: a moment
    Column("text", Text, nullable=False),
    Column("searched", Text, nullable=False),  # base.texts.searchable(text)
    Column("created_at", BigInteger, nullable=False),
    Index("ix_bookmarks_camera_id_at", "camera_id", "at", "id"),
    Index("ix_bookmarks_at", "at", "id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256, hexadecimal
    Column("user_id", _ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),  # worth nothing without the token
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
)
