"""One error type for everything that a person or a program outside has to be told.

A `Fault` carries a *kind* (what sort of failure, from which the HTTP status, the log level and the exit
code follow) and a *code* (stable, machine readable: clients translate it), beside the sentence in English.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    #: What the sentence names (which file, which date), for those who say it in another language.
    Details = Mapping[str, str | int]


class Kind(StrEnum):
    """What sort of failure; each front (HTTP, command line, log) has one table from these."""

    INVALID = "invalid"  # the request is wrong, and the same request will stay wrong
    UNAUTHENTICATED = "unauthenticated"  # nobody is signed in, or the credentials are wrong
    FORBIDDEN = "forbidden"  # signed in, but not allowed
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"  # exists already, or changed meanwhile
    LIMITED = "limited"  # too often, too many, too large: later or less will do
    UNSUPPORTED = "unsupported"  # understood, and not something this version does
    UNAVAILABLE = "unavailable"  # somebody else (a camera, a disk, a worker) does not answer or refuses
    INTERNAL = "internal"  # our own mistake


class Fault(Exception):
    """A failure with a stable code, a sentence that says what is wrong and one that says what to do.

    ``field`` names the input at fault (``"url"``, ``"connectivity.http_port"``) where there is one.
    ``retry_after_s`` says when trying again may help, ``details`` what the sentence names.  No text may hold a secret.
    """

    def __init__(
        self,
        kind: Kind,
        code: str,
        message: str,
        hint: str = "",
        *,
        field: str | None = None,
        retry_after_s: float | None = None,
        details: Details | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.hint = hint
        self.field = field
        self.retry_after_s = retry_after_s
        self.details: dict[str, str | int] = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


def invalid(
    code: str, message: str, hint: str = "", *, field: str | None = None, details: Details | None = None
) -> Fault:
    """The commonest fault: an input that says something impossible."""
    return Fault(Kind.INVALID, code, message, hint, field=field, details=details)
