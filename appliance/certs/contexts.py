"""TLS contexts: the server's, which follows the files in ``DATA/tls`` without a restart, and clients'."""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import trio

from appliance.base.beat import rest
from appliance.base.clock import to_datetime
from appliance.base.faults import Fault, invalid
from appliance.base.interfaces import interface_addresses
from appliance.base.watch import Watched
from appliance.certs.authority import ServerNames, server_names
from appliance.certs.certificates import Address, Description, describe, server_context
from appliance.certs.folder import InForce, Stamp, authority_pem, choose, stamps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from appliance.base.clock import Clock
    from appliance.base.faults import Details

log = logging.getLogger(__name__)
T = TypeVar("T")

CHECK_S = 3.0  # how often the files and addresses are looked at; it costs six stat(2) and one question to the kernel
# Where distributions keep what they trust, for a Python that was built elsewhere (the one-file binary)
_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def client_context(authority: bytes | None = None) -> ssl.SSLContext:
    """For connections to others: checked, names too.

    ``authority``: PEM of the certificates to trust, and no others; None: those the system trusts.  Raises `Fault`
    ``bad_authority``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if not context.cert_store_stats()["x509_ca"]:
            bundle = next((path for path in _SYSTEM_BUNDLES if Path(path).is_file()), None)
            if bundle is not None:
                context.load_verify_locations(bundle)
        return context
    try:
        context.load_verify_locations(cadata=authority.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise invalid(
            "bad_authority", "This holds no certificate in PEM form.", "Choose the certificate of the authority."
        ) from None
    # the chosen one is trusted for itself, whoever signed it
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about certificates that the administrator should see to."""

    code: str
    message: str
    hint: str
    details: Details = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class TlsState:
    certificate: Description
    source: Literal["own", "local"]
    warning: int | None = None  # days left: 30, 7, 1 or 0 (expired); see `Description.warning`
    problems: tuple[Problem, ...] = ()
    not_covered: tuple[str, ...] = ()  # names of this machine that the local authority may not sign for


class _Seen(NamedTuple):
    """All that the choice depends on."""

    files: tuple[Stamp, ...]
    names: ServerNames
    hour: datetime  # ends come nearer


class TlsHolder:
    """The server's certificate.  ``context`` is the one for new handshakes; open connections keep theirs.

    ``state`` is what the status page shows and can be waited for.  Made by `open_tls_holder`.
    """

    def __init__(
        self, folder: Path, clock: Clock, host_name: Callable[[], str], addresses: Callable[[], Sequence[Address]]
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._host_name = host_name
        self._addresses = addresses
        self._limiter = trio.CapacityLimiter(1)
        self._seen: _Seen | None = None  # what the certificate in force was chosen by
        self._doubted: _Seen | None = None  # what gave a problem that was not there before
        self._in_force: InForce | None = None
        self._context: ssl.SSLContext | None = None
        self._state: Watched[TlsState] | None = None

    @property
    def context(self) -> ssl.SSLContext:
        assert self._context is not None
        return self._context

    @property
    def state(self) -> Watched[TlsState]:
        assert self._state is not None
        return self._state

    @property
    def problem(self) -> Problem | None:
        return next(iter(self.state.value.problems), None)

    async def authority_pem(self) -> bytes | None:
        """The local authority's certificate for people to trust."""
        return await trio.to_thread.run_sync(authority_pem, self._folder, limiter=self._limiter)

    async def load(self) -> None:
        """Choose a certificate for the first time.  Raises `Fault` when there is none to be had."""
        seen, chosen, context = await self._in_thread(self._choose)
        self._take(seen, chosen, context)

    async def check(self) -> None:
        """See whether a better certificate is to be had, and take it."""
        seen = await self._in_thread(self._look)
        if seen == self._seen:
            return
        seen, chosen, context = await self._in_thread(self._choose)
        if self._is_new_trouble(chosen) and self._doubted != seen:
            # perhaps one of two files is written and the other is not: it is judged at the next check
            self._doubted = seen
            return
        self._doubted = None
        self._take(seen, chosen, context)

    async def watch(self) -> None:
        """Check for ever."""
        trouble = ""
        while True:
            await rest(CHECK_S)
            try:
                await self.check()
                trouble = ""
            except (Fault, OSError) as error:  # the disk, perhaps; what is in force stays so
                if trouble != str(error):
                    trouble = str(error)
                    log.warning("cannot check the certificates: %s", trouble)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(call, limiter=self._limiter)

    def _look(self) -> _Seen:
        now = to_datetime(self._clock.utc_90k())
        names = server_names(self._host_name(), self._addresses())
        return _Seen(stamps(self._folder), names, now.replace(minute=0, second=0, microsecond=0))

    def _choose(self) -> tuple[_Seen, InForce, ssl.SSLContext]:
        # looked at first: what changes while we read is seen at the next check
        seen = self._look()
        now = to_datetime(self._clock.utc_90k())
        chosen = choose(self._folder, seen.names, self._host_name(), now, self._in_force)
        return seen, chosen, server_context(chosen.pair)

    def _is_new_trouble(self, chosen: InForce) -> bool:
        known = {problem.code for problem in self.state.value.problems}
        return any(fault.code not in known for fault in chosen.problems)

    def _take(self, seen: _Seen, chosen: InForce, context: ssl.SSLContext) -> None:
        now = to_datetime(self._clock.utc_90k())
        certificate = describe(chosen.pair.leaf)
        state = TlsState(
            certificate,
            chosen.source,
            certificate.warning(now),
            tuple(Problem(fault.code, fault.message, fault.hint, fault.details) for fault in chosen.problems),
            chosen.not_covered,
        )
        before = self._state.value if self._state is not None else None
        _report(before, state, now)
        if self._in_force is None or chosen.pair.chain != self._in_force.pair.chain:
            self._context = context
        self._seen, self._in_force = seen, chosen
        if self._state is None:
            self._state = Watched(state)
        else:
            self._state.set(state)


def _report(before: TlsState | None, after: TlsState, now: datetime) -> None:
    """Say once what has changed."""
    known = before.problems if before is not None else ()
    for problem in after.problems:
        if problem not in known:
            log.error("certificate: %s %s", problem.message, problem.hint)
    if before is None or before.certificate != after.certificate:
        log.info(
            "certificate in force: %s by %s, SHA-256 %s, until %s",
            after.certificate.subject,
            after.certificate.issuer,
            after.certificate.fingerprint_sha256,
            after.certificate.not_after.date(),
        )
    if after.warning is not None and (before is None or before.warning != after.warning):
        log.warning("the certificate ends in %d days", after.certificate.days_left(now))


@asynccontextmanager
async def open_tls_holder(
    folder: Path,
    clock: Clock,
    *,
    host_name: Callable[[], str] = socket.gethostname,
    addresses: Callable[[], Sequence[Address]] = interface_addresses,
) -> AsyncIterator[TlsHolder]:
    """A holder that looks after ``folder`` (``DATA/tls``) as long as the context lasts.  Raises `Fault`."""
    holder = TlsHolder(folder, clock, host_name, addresses)
    await holder.load()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(holder.watch)
        yield holder
        nursery.cancel_scope.cancel()
