"""Passwords: argon2id off the loop, two at a time; which new ones are refused; how a first one is made.

Sources: RFC 9106 (Argon2); OWASP Password Storage Cheat Sheet (at least 19 MiB and two passes);
NIST SP 800-63B §5.1.1.2 (length, not composition; compare with the commonest; normalise Unicode).
"""

from __future__ import annotations

import base64
import logging
import os
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Final

import argon2
import trio
from argon2.exceptions import Argon2Error, InvalidHashError

from appliance.base.faults import Fault, invalid
from appliance.base.secrets import Secret
from appliance.base.texts import fold

log = logging.getLogger(__name__)

#: 70 ms on one core of a 2020 server (aim: 50–100 ms, abuse A1, A27).
MEMORY_KIB: Final = 46 * 1024
PASSES: Final = 2
#: Hashes at once: each takes a core and 46 MiB.
AT_ONCE: Final = 2

SHORTEST: Final = 12
LONGEST: Final = 128
LONGEST_BYTES: Final = 1024
#: No normalisation of a longer text than this: it can grow eighteenfold.
_LONGEST_INPUT: Final = 1024

_FIRST_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike; 4.95 bits each
_FIRST_GROUPS, _FIRST_GROUP = 5, 4  # 99 bits

#: The commonest of those long enough for the other rules, and what people make of the shorter ones.
_COMMON_TEXT: Final = """
    123456789012 1234567890123 12345678901234 123456789123 123456123456 012345678901 0123456789012 987654321098
    1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv qwertyuiop12 qwertyuiop123 qwertyuiopas qwertyuiop[] qwerty123456
    qwerty1234567 qwertyqwerty qwertzuiop12 azertyuiop12 azertyuiop123 azerty123456 azertyazerty asdfghjkl123
    zxcvbnm12345 abcdefghijkl abcdefghijklm abcdef123456 abc123abc123 abcd12345678 a1b2c3d4e5f6
    password1234 password12345 password123456 password123! passwordpassword password2023 password2024 password2025
    passw0rd1234 p@ssword1234 p@ssw0rd1234 motdepasse12 motdepasse123 passwort1234 contraseña12
    administrator administrateur administrator1 administrator123 admin1234567 admin12345678 admin123456789
    adminadminadmin adminpassword adminpassword1 rootpassword rootrootroot letmein12345 letmeinletmein
    welcome12345 welcome123456 welcomewelcome changeme1234 changemechangeme iloveyou1234 iloveyouiloveyou
    sunshine1234 princess1234 football1234 baseball1234 dragon123456 monkey123456 superman1234 trustno1trustno1
    milestone123 milestonemilestone xprotect1234 surveillance surveillance1 camera123456 cameracamera
    videosurveillance
"""
_COMMON: Final = frozenset(_COMMON_TEXT.split())


@dataclass(frozen=True, slots=True)
class Cost:
    """What a hash costs.  Tests use little."""

    memory_kib: int = MEMORY_KIB
    passes: int = PASSES


class Passwords:
    """Hashes and verifies, in threads."""

    def __init__(self, cost: Cost | None = None) -> None:
        cost = cost or Cost()
        self._hasher = argon2.PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=1, type=argon2.Type.ID
        )
        self._threads = trio.CapacityLimiter(AT_ONCE)
        # the hash of no password, for users that do not exist: refusing them costs the same (abuse A3)
        salt, tag = (base64.b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (16, 32))
        self._nobody = f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p=1${salt}${tag}"

    async def hash(self, password: Secret) -> str:
        """The encoded argon2id hash of a password that `check_new` allows."""
        return await trio.to_thread.run_sync(self._hasher.hash, prepare(password), limiter=self._threads)

    async def verify(self, encoded: str | None, password: Secret) -> bool:
        """Whether it is the password of this hash; False, at the same cost, for no hash (None) and any other text."""
        return await trio.to_thread.run_sync(self._verify, encoded, prepare(password), limiter=self._threads)

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(encoded)

    def _verify(self, encoded: str | None, password: bytes) -> bool:
        try:
            return self._hasher.verify(encoded or self._nobody, password)
        except InvalidHashError:
            # without the traceback: it would hold nothing but the hash
            log.error("a password hash in the store is damaged: its user needs a new password")  # noqa: TRY400
            return self._verify(None, password)
        except Argon2Error:  # does not match
            return False


def prepare(password: Secret) -> bytes:
    """The bytes that are hashed: NFKC, so that it does not matter how a keyboard composes; no password for too long."""
    text = password.reveal()
    if len(text) > _LONGEST_INPUT:
        return b""  # which is nobody's, being too short
    return unicodedata.normalize("NFKC", text).encode("utf-8", "surrogatepass")


def check_new(password: Secret, user_name: str) -> None:
    """Raise `Fault` ``weak_password`` unless this may be the password of that user."""
    text = password.reveal()
    normal = unicodedata.normalize("NFKC", text[: _LONGEST_INPUT + 1])
    if len(text) > _LONGEST_INPUT or len(normal) > LONGEST or len(prepare(password)) > LONGEST_BYTES:
        raise _weak("The password is too long.", f"Use {LONGEST} characters at most.")
    if any(unicodedata.category(ch) in {"Cc", "Cs"} for ch in normal):
        raise _weak("The password has a character that cannot be typed.", "Use letters, digits, signs and spaces.")
    if len(normal) < SHORTEST:
        raise _weak(
            f"The password has {len(normal)} characters.", f"Use {SHORTEST} or more; a few words in a row are good."
        )
    folded, name = fold(normal), fold(user_name)
    if _repeats(folded, name) or name == folded.strip():
        raise _weak("The password is the user name.", "Choose something that nobody can guess.")
    if folded in _COMMON or len(set(folded)) <= 2 or _repeats(folded, folded[:3]):
        raise _weak("The password is one of those tried first.", "Choose something that nobody can guess.")


def make_first() -> Secret:
    """A random password that can be read off a screen and typed: five groups of four, 99 bits."""
    groups = ("".join(secrets.choice(_FIRST_ALPHABET) for _ in range(_FIRST_GROUP)) for _ in range(_FIRST_GROUPS))
    return Secret("-".join(groups))


def _repeats(text: str, unit: str) -> bool:
    return bool(unit) and not text.replace(unit, "")


def _weak(message: str, hint: str) -> Fault:
    return invalid("weak_password", message, hint, field="password")
