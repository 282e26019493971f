"""The trust page: how a browser comes to trust this server's own authority (row SEC-1).

It is served on plain HTTP too: whoever needs it has no trusted connection yet.  The page says how to compare the
fingerprint with what the server itself shows (``fanal status``), because plain HTTP can be tampered with.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from quart import Response, request

from appliance.settings.tabs import GeneralTab
from appliance.web import problem
from appliance.web.table import Access, Route
from appliance.web.texts import LANGUAGES, best, translations

if TYPE_CHECKING:
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

_LIGHT: Final = re.compile(r'^\[data-theme="light"\]\s*\{([^}]*)\}', re.MULTILINE)


class Trust:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services
        # compiled once: that takes far longer than a request may hold up the others
        self._pages = {language: _environment(language).get_template("trust.html") for language in LANGUAGES}
        self._style = _environment(LANGUAGES[0]).get_template("trust.css").render()

    def add_to(self, gate: Gate) -> None:
        for route in (
            Route(
                "trust", "GET", "/trust", Access.PUBLIC, self.page, "How to trust this server", media_type="text/html"
            ),
            Route(
                "authority",
                "GET",
                "/trust/ca.crt",
                Access.PUBLIC,
                self.authority,
                "The local authority's certificate",
                media_type="application/x-x509-ca-cert",
            ),
            Route(
                "trust_style", "GET", "/trust/style.css", Access.PUBLIC, self.style, "Its style", media_type="text/css"
            ),
        ):
            gate.add(route)

    async def page(self, _call: Call) -> Response:
        services = self._services
        language = best(request.headers.get("Accept-Language", ""))
        html = self._pages[language].render(
            language=language,
            server=services.settings.tab(GeneralTab).server_name,
            fingerprint=await services.authority_fingerprint(),
            own=services.tls is not None and services.tls.state.value.source == "own",
            https_port=services.https_port,
        )
        return Response(html, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})

    async def authority(self, _call: Call) -> Response:
        pem = await self._services.tls.authority_pem() if self._services.tls is not None else None
        if pem is None:
            return problem.answer(problem.not_found())
        return Response(
            pem,
            content_type="application/x-x509-ca-cert",
            headers={"Content-Disposition": 'attachment; filename="fanal-ca.crt"', "Cache-Control": "no-cache"},
        )

    async def style(self, _call: Call) -> Response:
        """The tokens of the web client, and what this one page needs of its own."""
        tokens = self._services.pages.get("tokens.css")
        css = (_following(tokens.body.decode()) if tokens is not None else "") + self._style
        return Response(css, content_type="text/css; charset=utf-8", headers={"Cache-Control": "no-cache"})


def _following(tokens: str) -> str:
    """The tokens, those of the light theme where the device is light: on this page no script applies a choice."""
    light = _LIGHT.search(tokens)
    return tokens if light is None else f"{tokens}\n@media (prefers-color-scheme: light) {{ :root {{{light[1]}}} }}\n"


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("appliance.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # of the extension
    return environment
