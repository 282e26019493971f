"""The web client's files: read once at the start, served from memory.

A request never becomes a path: it is looked up in a table of what the build made.  Files whose names hold their hash
are kept by browsers for ever, everything else is asked for anew, so that after an upgrade the new client comes without
a cleared cache (row CLI-9).
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quart import Response, request

from appliance.base.faults import Fault, Kind
from appliance.web import problem
from appliance.web.table import Access, Route

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.web.gate import Call, Gate

# As Vite writes them: assets/index-B3xYz_1a.js
_HASHED = re.compile(r"assets/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml", "application/manifest+json")
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml"}
#: Addresses of the client's own pages; each is the same document, which then looks at the address.
PAGES = (
    "/",
    "/sign-in",
    "/live/<view>",
    "/camera/<camera_id>",
    "/playback",
    "/status",
    "/settings",
    "/settings/<tab>",
    "/settings/<tab>/<item>",
)


@dataclass(frozen=True, slots=True)
class Page:
    """One file, ready to be sent."""

    body: bytes
    packed: bytes | None  # gzip, where it is smaller
    media_type: str
    etag: str
    for_ever: bool


def read_pages(folder: Path) -> dict[str, Page]:
    """All files below a folder by their path within it.  Raises `Fault` ``no_client`` if the build made none."""
    pages = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            pages[name] = _page(name, path.read_bytes(), path.suffix)
    if "index.html" not in pages:
        raise Fault(
            Kind.INTERNAL,
            "no_client",
            "The web client was not built.",
            "From a checkout: make client.",
        )
    return pages


def _page(name: str, body: bytes, suffix: str) -> Page:
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(body, 9, mtime=0) if media_type.startswith(_COMPRESSIBLE) else None
    if packed is not None and len(packed) >= len(body):
        packed = None
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    etag = hashlib.sha256(body).hexdigest()[:24]
    return Page(body, packed, media_type, etag, _HASHED.match(name) is not None)


class Pages:
    """The routes of this module."""

    def __init__(self, pages: dict[str, Page]) -> None:
        self._pages = pages

    def add_to(self, gate: Gate) -> None:
        for number, path in enumerate(PAGES):
            gate.add(
                Route(
                    f"page_{number}",
                    "GET",
                    path,
                    Access.PUBLIC,
                    self.document,
                    "A page of the web client",
                    media_type="text/html",
                )
            )
        for number, path in enumerate(sorted({_pattern(name) for name in self._pages})):
            gate.add(
                Route(
                    f"file_{number}",
                    "GET",
                    path,
                    Access.PUBLIC,
                    self.file,
                    "A file of the web client",
                    media_type="application/octet-stream",
                )
            )

    async def document(self, _call: Call) -> Response:
        return self._send("index.html")

    async def file(self, _call: Call) -> Response:
        return self._send(request.path.removeprefix("/"))

    def _send(self, name: str) -> Response:
        page = self._pages.get(name)
        if page is None:
            return problem.answer(problem.not_found())
        packed = page.packed if request.accept_encodings.quality("gzip") > 0 else None
        etag = page.etag if packed is None else f"{page.etag}-gzip"  # RFC 9110 §8.8.3: other bytes, another tag
        headers = {
            "ETag": f'"{etag}"',
            "Vary": "Accept-Encoding",
            "Cache-Control": "public, max-age=31536000, immutable" if page.for_ever else "no-cache",
        }
        if request.if_none_match.contains_weak(etag):
            return Response(b"", status=304, headers=headers)
        if packed is not None:
            headers["Content-Encoding"] = "gzip"
        return Response(packed or page.body, content_type=page.media_type, headers=headers)


def _pattern(name: str) -> str:
    """Files of one folder share a route; those on top have one each."""
    folder, _, _ = name.rpartition("/")
    return f"/{folder}/<file>" if folder else f"/{name}"
