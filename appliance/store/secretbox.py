"""Secrets at rest: AES-256-GCM with a key that lies in the data folder (design §7).

A sealed value is ``version (1 byte) | key id (4) | nonce (12) | ciphertext and tag``.  What it is bound to (its
table, row and column) is authenticated with it: a value copied into another row does not open.
The nonce is random (NIST SP 800-38D §8.2.2); a store writes far fewer than the 2³² values that allows.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.base.faults import Fault, Kind
from appliance.base.secrets import Secret
from appliance.store.folder import fault_of, unavailable, write_whole

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

KEY_NAME: Final = "secret.key"
KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_HEAD: Final = 1 + 4 + _NONCE_BYTES


class SecretBox:
    """Seals and unseals with one key.  Knows no table: callers name what a value is bound to."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._key_id = hashlib.sha256(b"fanal key id" + key).digest()[:4]

    def __repr__(self) -> str:
        return "SecretBox()"

    def seal(self, secret: Secret, bound_to: str) -> bytes:
        """``secret`` encrypted; opens only with the same ``bound_to``, such as ``streams/<id>/password``."""
        nonce = os.urandom(_NONCE_BYTES)
        head = _VERSION + self._key_id + nonce
        return head + self._cipher.encrypt(nonce, secret.reveal().encode(), _VERSION + bound_to.encode())

    def unseal(self, sealed: bytes, bound_to: str) -> Secret:
        """The secret again.

        Raises `Fault` ``secret_unreadable`` when it was sealed with another key, is damaged, or belongs elsewhere.
        """
        if len(sealed) < _HEAD or sealed[:1] != _VERSION:
            raise _unreadable("A stored password is damaged.", "Enter it again.")
        if sealed[1:5] != self._key_id:
            raise _unreadable(
                "A stored password was encrypted with another key than the one in the data folder.",
                f"Enter it again, or stop the server and put back the file {KEY_NAME} that belongs to this store.",
            )
        try:
            text = self._cipher.decrypt(sealed[5:_HEAD], sealed[_HEAD:], _VERSION + bound_to.encode())
        except InvalidTag:
            raise _unreadable("A stored password is damaged or not where it belongs.", "Enter it again.") from None
        return Secret(text.decode())


def open_secret_box(folder: Path) -> SecretBox:
    """The box of a data folder; the key is made if there is none.

    A key that was lost cannot be told from a first start here: what it had sealed then raises ``secret_unreadable``
    one by one, and everything else goes on.  Raises `Fault` ``secret_key_damaged`` for a file that is no key, and
    those of `appliance.store.folder`.  Blocks (disk).
    """
    path = folder / KEY_NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        log.info("making the key for stored passwords: %s", path)
        key = os.urandom(KEY_BYTES)
        write_whole(path, key)
        return SecretBox(key)
    except OSError as error:
        raise fault_of(error, path) from error
    with open(descriptor, "rb") as file:  # noqa: PTH123 (of a descriptor, not of a path)
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            log.warning("other users could read the key for stored passwords; it is private again: %s", path)
            os.fchmod(descriptor, 0o600)
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise unavailable(
            "secret_key_damaged",
            f"{path} is not a key: it should have {KEY_BYTES} bytes.",
            "Put it back from a backup. If there is none, delete it: a new one is made, and the passwords of cameras "
            "have to be entered again.",
        )
    return SecretBox(key)


def _unreadable(message: str, hint: str) -> Fault:
    return Fault(Kind.UNAVAILABLE, "secret_unreadable", message, hint)
