"""The front door: which host names are answered, what plain HTTP may do, the headers of every answer (design §7)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from quart import Response, request, websocket

from appliance.base.faults import Fault, Kind
from appliance.base.hosts import clean_host
from appliance.serve.connection import current_connection
from appliance.settings.tabs import ConnectivityTab
from appliance.web import problem
from appliance.web.security import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quart.typing import ResponseTypes
    from quart_trio import QuartTrio

    from appliance.web.services import Services

#: Plain HTTP answers only these itself: what a client needs before it trusts the certificate.
PLAIN_PATHS: Final = ("/healthz", "/trust", "/trust/ca.crt", "/trust/style.css")

#: RFC 9110 §8.6: no Content-Length in a 204; that of a 304 would have to be that of the whole file.
WITHOUT_BODY: Final = (204, 304)


def install(app: QuartTrio, services: Services) -> None:
    """Put the rules before and behind every request of the application."""

    @app.before_request
    async def _check() -> Response | None:  # noqa: ASYNC124 (Quart runs plain functions in threads)
        return _redirected(services)

    @app.before_websocket
    async def _check_websocket() -> Response | None:  # noqa: ASYNC124 (the same)
        connection = current_connection.get()
        if services.tls is None or connection.local:
            return None
        if services.client(connection, websocket.scope["headers"]).secure:
            return None
        fault = Fault(Kind.FORBIDDEN, "not_encrypted", "WebSockets are served over HTTPS only.", "Use wss://.")
        return problem.answer(fault)

    @app.after_request
    async def _finish(response: Response) -> Response:  # noqa: ASYNC124 (the same)
        return _finished(response)

    @app.after_websocket
    async def _finish_refusal(  # noqa: ASYNC124 (the same)
        response: ResponseTypes | None,
    ) -> ResponseTypes | None:
        """A handshake that was refused; one that was not has no response."""
        return _finished(response) if isinstance(response, Response) else response


def _finished(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.status_code in WITHOUT_BODY:
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    return response


def known_hosts(services: Services) -> set[str]:
    """Every name and address by which this server may be asked for."""
    hosts = {"localhost", "127.0.0.1", "::1", *services.own_hosts()}
    hosts.update(services.settings.tab(ConnectivityTab).host_names)
    if services.tls is not None:
        hosts.update(services.tls.state.value.certificate.names)
    return {clean for host in hosts if (clean := _clean(host)) is not None}


def _redirected(services: Services) -> Response | None:
    """On plain HTTP: on to HTTPS under the same name, if that name is ours; nothing is served there itself."""
    connection = current_connection.get()
    if services.tls is None or connection.local:
        return None
    if services.client(connection, request.scope["headers"]).secure or request.path in PLAIN_PATHS:
        return None
    host = _host(request.headers.get("Host", ""))
    if host is None or host not in known_hosts(services):
        return _misdirected()
    shown = f"[{host}]" if ":" in host else host
    port = "" if services.https_port == 443 else f":{services.https_port}"
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    location = f"https://{shown}{port}{_as_sent(request.scope['raw_path'])}{query}"
    return Response(b"", status=308, headers={"Location": location, "Cache-Control": "no-store"})


def _as_sent(raw_path: bytes) -> str:
    """The path as it came, percent-encoded; never something that could be read as another host."""
    return "/" + raw_path.partition(b"?")[0].decode("latin-1").lstrip("/")


def _misdirected() -> Response:
    fault = Fault(
        Kind.INVALID,
        "unknown_host",
        "This server is not known by that name.",
        "Use one of its addresses, or add the name: fanal config set connectivity.host_names NAME",
    )
    return problem.answer(fault, HTTPStatus.MISDIRECTED_REQUEST)


def _host(header: str) -> str | None:
    """The host of a Host header, in its canonical form."""
    try:
        host = urlsplit(f"//{header}").hostname
    except ValueError:
        return None
    return None if not host else _clean(host)


def _clean(host: str) -> str | None:
    try:
        return clean_host(host)
    except ValueError:
        return None


def own_names(host_name: str, addresses: Iterable[object]) -> list[str]:
    """The names of this machine on its network, and its addresses."""
    return [host_name, f"{host_name}.local", *(str(address) for address in addresses)]
