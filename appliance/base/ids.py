"""Ids: random UUIDs (RFC 9562, version 4) for everything a client can name."""

from __future__ import annotations

from uuid import UUID, uuid4


def new_id() -> str:
    """A new id in the canonical form: 36 characters, lower case."""
    return str(uuid4())


def is_id(text: str) -> bool:
    """Whether ``text`` is an id in the canonical form."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
