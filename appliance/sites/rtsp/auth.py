"""Proving who we are: Digest (RFC 7616, and RFC 2617 as older cameras speak it) and Basic (RFC 7617).

The strongest way that is offered is gone: Digest with SHA-256, Digest with MD5, Basic.  MD5 and Basic are what
cameras have; both are worth what the network between is worth.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from appliance.sites.rtsp.errors import BadCredentials, RtspError
from appliance.sites.rtsp.fields import parameter, quote, split_quoted
from appliance.sites.rtsp.oddities import Oddities, Oddity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance.base.secrets import Secret
    from appliance.sites.rtsp.urls import RtspUrl

CHALLENGES_LIMIT = 8
VALUE_LIMIT = 1024  # characters of a realm or nonce
# strongest first
_ALGORITHMS = {"SHA-256": "sha256", "SHA-256-SESS": "sha256", "MD5": "md5", "MD5-SESS": "md5"}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in which the camera would have us prove who we are."""

    scheme: str  # lower case
    parameters: dict[str, str]  # names in lower case

    @property
    def algorithm(self) -> str:
        return self.parameters.get("algorithm", "MD5").upper()

    @property
    def qop(self) -> str | None:
        """``auth`` where it is offered, None for the old form without; other forms are refused before."""
        return "auth" if "qop" in self.parameters else None

    def rank(self) -> int | None:
        """The lower the better; None: not for us."""
        if self.scheme == "basic":
            return len(_ALGORITHMS)
        if self.scheme != "digest" or "nonce" not in self.parameters or self.algorithm not in _ALGORITHMS:
            return None
        offered = self.parameters.get("qop", "auth").lower().replace(",", " ").split()
        return list(_ALGORITHMS).index(self.algorithm) if "auth" in offered else None


def parse_challenges(values: Iterable[str], oddities: Oddities) -> list[Challenge]:
    """Read ``WWW-Authenticate`` headers, several challenges in one or in several of them."""
    found: list[Challenge] = []
    for value in values:
        for part in split_quoted(value, ","):
            word, space, rest = part.partition(" ")
            if "=" not in word and (space or "=" not in part) and not rest.lstrip().startswith("="):
                if len(found) == CHALLENGES_LIMIT:
                    return found
                found.append(Challenge(word.lower(), {}))
                part = rest.strip()  # noqa: PLW2901  (what is left of it is a parameter)
                if not part:
                    continue
            name, content = parameter(part)
            if content is None or not found or len(content) > VALUE_LIMIT:
                oddities.note(Oddity.CHALLENGE_UNREADABLE)
            else:
                found[-1].parameters.setdefault(name, content)
    return found


class Authenticator:
    """Answers the challenges of one connection with one user's name and password, at one host."""

    def __init__(
        self,
        place: RtspUrl,
        username: str,
        password: Secret | None,
        *,
        allow_basic: bool = True,
        make_cnonce: Callable[[], str] = lambda: token_hex(16),
    ) -> None:
        self._place = place
        self._username = username
        self._password = password
        self._allow_basic = allow_basic
        self._make_cnonce = make_cnonce
        self._challenge: Challenge | None = None
        self._count = 0  # how often the nonce was used
        self._cnonce = ""
        self._session_key = ""  # of the -sess algorithms
        self._accepted = False  # the camera took the proof with this challenge at least once

    def succeeded(self) -> None:
        """The last request was let through."""
        self._accepted = self._challenge is not None

    def challenge(self, values: list[str], oddities: Oddities) -> None:
        """Take the challenge of a 401.  Raises `BadCredentials` if it is pointless to try again."""
        found = parse_challenges(values, oddities)
        if not self._username and self._password is None:
            raise BadCredentials("The camera asks for a user name and password.", "Enter them.")
        usable = [(rank, number) for number, offered in enumerate(found) if (rank := offered.rank()) is not None]
        if not self._allow_basic:
            usable = [(rank, number) for rank, number in usable if found[number].scheme != "basic"]
        if not usable:
            raise BadCredentials(*_none_fits(found))
        best = found[min(usable)[1]]
        if self._challenge is not None:
            stale = best.parameters.get("stale", "").lower() == "true"
            anew = best.parameters.get("nonce") != self._challenge.parameters.get("nonce")
            if not stale and not (self._accepted and anew):
                raise BadCredentials("The camera refused the user name or password.", "Check them.")
            if not stale:
                oddities.note(Oddity.NONCE_STALE_UNSAID)
        self._challenge = best
        self._accepted = False
        self._count = 0
        self._cnonce = self._make_cnonce()
        self._session_key = ""

    def authorization(self, method: str, url: RtspUrl, uri: str | None = None) -> str | None:
        """The ``Authorization`` header of a request; None before any challenge.  ``uri``: what the request says."""
        if self._challenge is None:
            return None
        if (url.host, url.port) != (self._place.host, self._place.port):
            raise RtspError("Credentials belong to one host, and this is another.")
        password = self._password.reveal() if self._password is not None else ""
        if self._challenge.scheme == "basic":
            return "Basic " + b64encode(f"{self._username}:{password}".encode()).decode("ascii")
        return self._digest(method, uri or str(url), password)

    def _digest(self, method: str, uri: str, password: str) -> str:
        assert self._challenge is not None
        parameters, qop = self._challenge.parameters, self._challenge.qop
        algorithm, realm, nonce = self._challenge.algorithm, parameters.get("realm", ""), parameters["nonce"]
        name = _ALGORITHMS[algorithm]

        def digest(*parts: str) -> str:
            # MD5 because the camera's protocol says so, not because it protects anything
            return hashlib.new(name, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

        key = digest(self._username, realm, password)
        if algorithm.endswith("-SESS"):
            self._session_key = self._session_key or digest(key, nonce, self._cnonce)
            key = self._session_key
        self._count += 1
        count = f"{self._count:08x}"
        middle = (nonce, count, self._cnonce, qop) if qop else (nonce,)
        response = digest(key, *middle, digest(method, uri))
        fields = [("username", quote(self._username)), ("realm", quote(realm)), ("nonce", quote(nonce)),
                  ("uri", quote(uri)), ("response", quote(response))]  # fmt: skip
        if "algorithm" in parameters:
            fields.append(("algorithm", parameters["algorithm"]))
        if "opaque" in parameters:
            fields.append(("opaque", quote(parameters["opaque"])))
        if qop:
            fields += [("qop", qop), ("nc", count)]
        if qop or algorithm.endswith("-SESS"):
            fields.append(("cnonce", quote(self._cnonce)))
        return "Digest " + ", ".join(f"{key}={value}" for key, value in fields)


def _none_fits(found: list[Challenge]) -> tuple[str, str]:
    if any(challenge.scheme == "basic" for challenge in found):
        return (
            "The camera takes the password only in readable form (Basic), and that is not allowed for it.",
            "Choose Digest in the camera, or allow Basic for it.",
        )
    return (
        "The camera wants a proof of identity that this version cannot give.",
        "Choose Digest or Basic authentication in the camera.",
    )
