"""What every answer of the interface has to be, whatever was asked: held to at each answer that any test gets.

The body is what the OpenAPI document says, errors are RFC 9457 problems, and the headers that protect a browser are
there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker

from appliance.web.openapi import document
from appliance.web.table import Route

if TYPE_CHECKING:
    from appliance.web.table import Table

#: Of RFC 9110 and ours; each answer carries each of them once.
ALWAYS = {
    "content-security-policy": r"default-src 'self'; .*script-src 'self'.*frame-ancestors 'none'.*",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": r"camera=\(\), .*",
}
NEVER = ("server", "x-powered-by", "access-control-allow-origin")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    method: str
    path: str
    status: int
    raw_headers: tuple[tuple[str, str], ...]
    body: bytes

    @cached_property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.raw_headers}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self
        code: str = self.json["code"]
        return code

    def __hash__(self) -> int:
        return id(self)


class Manners:
    """See the module."""

    def __init__(self, table: Table) -> None:
        self.document = document(table)
        self._paths = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), operations)
            for path, operations in self.document["paths"].items()
        ]
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, answer: Answer) -> None:
        """Raises AssertionError for an answer that is not as it has to be."""
        self.check_headers(answer)
        kind = answer.headers.get("content-type", "")
        if answer.status >= 400:
            assert kind == "application/problem+json", answer
            if answer.method != "HEAD":
                self._fits({"$ref": "#/components/schemas/Problem"}, answer)
                assert answer.json["status"] == answer.status, answer
        elif answer.status in (204, 304):
            assert answer.body == b"", answer
            assert "content-type" not in answer.headers, answer
        elif answer.method != "HEAD":
            self._check_body(answer, kind)

    @staticmethod
    def check_headers(answer: Answer) -> None:
        for name, pattern in ALWAYS.items():
            values = [value for each, value in answer.raw_headers if each.lower() == name]
            assert len(values) == 1, (name, answer)
            assert re.fullmatch(pattern, values[0]), (name, answer)
        assert not [name for name in NEVER if name in answer.headers], answer

    def _check_body(self, answer: Answer, kind: str) -> None:
        operation = self.operation(answer.method, answer.path)
        if operation is None:
            return  # a page, a file, a redirect
        said = operation["responses"]
        assert str(answer.status) in said or answer.status == 308, (answer, said)
        if answer.status == 308:
            return
        content = said[str(answer.status)].get("content", {})
        media_type = kind.partition(";")[0]
        assert media_type in content, (answer, content)
        if media_type == "application/json":
            assert answer.headers["cache-control"] == "no-store", answer
            self._fits(content[media_type]["schema"], answer)

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """What the document says of a call."""
        plain = path.partition("?")[0]
        for pattern, operations in self._paths:
            if pattern.fullmatch(plain):
                found: dict[str, Any] | None = operations.get(method.lower())
                return found
        return None

    def _fits(self, schema: dict[str, Any], answer: Answer) -> None:
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = Draft202012Validator(whole, format_checker=FormatChecker())
        errors = [error.message for error in self._validators[key].iter_errors(answer.json)]
        assert not errors, (errors, answer)


_KNOWN: dict[str, Manners] = {}


def manners_of(table: Table) -> Manners:
    """The same for all appliances with the same routes: the document and what checks answers take long to make."""
    own = ("handler", "finder")  # each appliance's, and nothing that the document says anything of
    names = [part.name for part in fields(Route) if part.name not in own]
    key = repr([[getattr(route, name) for name in names] + [route.names_camera] for route in table])
    if key not in _KNOWN:
        _KNOWN[key] = Manners(table)
    return _KNOWN[key]
