"""What a setting may be.  A rule turns JSON values and typed texts into values, or says what would be right.

Texts (command line, XML): ``on``/``off``, whole numbers, plain text, lists with commas.  `Rule.show` writes what
`Rule.parse` reads.  Every refusal is a `Fault` ``invalid_setting`` with the key as its field.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from appliance.base.faults import Fault, invalid
from appliance.base.hosts import clean_host
from appliance.base.texts import clean_name

if TYPE_CHECKING:
    from collections.abc import Callable

Value = bool | int | str | tuple[str, ...]

ENTRIES: Final = 64  # in a list
_YES: Final = frozenset({"on", "true", "yes", "1"})
_NO: Final = frozenset({"off", "false", "no", "0"})
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)


def refuse(key: str, what: str, hint: str) -> Fault:
    return invalid("invalid_setting", f"{key} {what}.", hint, field=key)


@dataclass(frozen=True)
class Rule(ABC):
    """What one setting may be."""

    @abstractmethod
    def check(self, key: str, value: object) -> Value:
        """The value that a JSON value stands for, in its kept form.  Raises `Fault`."""

    @abstractmethod
    def parse(self, key: str, text: str) -> Value:
        """The value that a text stands for.  Raises `Fault`."""

    def show(self, value: Value) -> str:
        """The text that `parse` reads."""
        return str(value)

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The rule as JSON Schema (draft 2020-12)."""


@dataclass(frozen=True)
class Switch(Rule):
    """On or off."""

    def check(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise refuse(key, "is either on or off", "Use true or false.")
        return value

    def parse(self, key: str, text: str) -> bool:
        word = text.strip().lower()
        if word not in _YES | _NO:
            raise refuse(key, "is either on or off", "Use on or off.")
        return word in _YES

    def show(self, value: Value) -> str:
        return "on" if value else "off"

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Whole(Rule):
    """A whole number in a range; ``off`` allows 0 outside of it, which means "not at all"."""

    minimum: int
    maximum: int
    off: bool = False

    def check(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise refuse(key, "is a whole number", self._hint())
        if not (self.minimum <= value <= self.maximum or (self.off and value == 0)):
            raise refuse(key, f"cannot be {_short(str(value))}", self._hint())
        return value

    def parse(self, key: str, text: str) -> int:
        text = text.strip()
        if not _WHOLE.fullmatch(text):
            raise refuse(key, "is a whole number", self._hint())
        return self.check(key, int(text))

    def _hint(self) -> str:
        return f"Use {self.minimum} to {self.maximum}{', or 0 for off' if self.off else ''}."

    def schema(self) -> dict[str, Any]:
        span: dict[str, Any] = {"minimum": self.minimum, "maximum": self.maximum}
        return {"type": "integer", **({"anyOf": [{"const": 0}, span]} if self.off else span)}


@dataclass(frozen=True)
class OneOf(Rule):
    """One of a few words."""

    words: tuple[str, ...]

    def check(self, key: str, value: object) -> str:
        if value not in self.words:
            hint = f"Use {', '.join(self.words[:-1])} or {self.words[-1]}."
            raise refuse(key, f"cannot be {_short(str(value))}", hint)
        return str(value)

    def parse(self, key: str, text: str) -> str:
        return self.check(key, text.strip().lower())

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class Name(Rule):
    """A name as in `appliance.base.texts.clean_name`."""

    def check(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise refuse(key, "is a text", "Give it one to 64 characters.")
        try:
            return clean_name(value, field=key)
        except Fault as fault:
            raise invalid("invalid_setting", fault.message, fault.hint, field=key) from None

    def parse(self, key: str, text: str) -> str:
        return self.check(key, text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": 64}


@dataclass(frozen=True)
class Text(Rule):
    """A text of several lines, of characters that show."""

    maximum: int

    def check(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise refuse(key, "is a text", f"Use {self.maximum} characters at most.")
        text = unicodedata.normalize("NFC", value[: self.maximum * 4]).replace("\r\n", "\n").strip()
        if len(value) > self.maximum * 4 or len(text) > self.maximum:
            raise refuse(key, f"has {len(value)} characters", f"Use {self.maximum} at most.")
        bad = next((ch for ch in text if ch != "\n" and unicodedata.category(ch) in {"Cc", "Cf", "Cs", "Co"}), None)
        if bad is not None:
            raise refuse(key, f"cannot contain the character U+{ord(bad):04X}", "Use letters, digits and signs.")
        return text

    def parse(self, key: str, text: str) -> str:
        return self.check(key, text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.maximum}


@dataclass(frozen=True)
class Listing(Rule):
    """A list of texts of one sort, each once, in the order given."""

    clean: Callable[[str], str] = field(repr=False)  # raises ValueError with a sentence
    example: str

    def check(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(entry, str) for entry in value):
            raise refuse(key, "is a list of texts", f"For example: {self.example}")
        if len(value) > ENTRIES:
            raise refuse(key, f"has {len(value)} entries", f"Use {ENTRIES} at most.")
        return tuple(dict.fromkeys(self._entry(key, entry) for entry in value))

    def _entry(self, key: str, entry: str) -> str:
        try:
            return self.clean(entry.strip())
        except ValueError as error:
            raise invalid(
                "invalid_setting", f"{key}: {_short(str(error))}", f"For example: {self.example}", field=key
            ) from None

    def parse(self, key: str, text: str) -> tuple[str, ...]:
        return self.check(key, [entry for entry in re.split(r"[\s,;]+", text) if entry])

    def show(self, value: Value) -> str:
        assert isinstance(value, tuple)
        return ", ".join(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}, "maxItems": ENTRIES, "uniqueItems": True}


def clean_network(text: str) -> str:
    """An IP address, or a network in CIDR form with its host bits cleared.  Raises `ValueError`."""
    try:
        if "/" not in text:
            return str(ip_address(text))
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is neither an IP address nor a network.") from None
    if network.prefixlen == 0:
        raise ValueError(f"{text} is every address there is.")  # trusting all is trusting nobody in particular
    return str(network)


HOSTS: Final = Listing(clean_host, "cameras.example.org, 203.0.113.7")
NETWORKS: Final = Listing(clean_network, "192.168.1.2, 10.0.0.0/8")


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
