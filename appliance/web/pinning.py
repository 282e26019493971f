"""Pinning the certificate that a camera shows now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from appliance.base.faults import Fault, Kind, invalid
from appliance.sites.addresses import with_options

if TYPE_CHECKING:
    from appliance.sites.cameras import StreamConfig
    from appliance.web.services import Services

#: Instead of a fingerprint: the one that the camera shows now.
FIRST: Final = "first"


async def shown_fingerprint(services: Services, stream: StreamConfig) -> str:
    """The fingerprint of the certificate that a camera shows now.

    Raises `Fault` ``no_fingerprint`` where there is none to be pinned.
    """
    if not stream.url.startswith(("rtsps://", "https://")):
        hint = "Use rtsps:// or https://."
        raise invalid("no_fingerprint", "This camera shows no certificate.", hint, field="fingerprint")
    address = with_options(stream.url, None, "")
    found = (await services.trials.run([replace(stream, url=address)])).streams[0].result
    if found.fingerprint is not None:
        return found.fingerprint
    if found.error is None:
        message, hint = "The system trusts the certificate that this camera shows.", "It need not be pinned."
    else:
        message, hint = f"The camera's certificate could not be read: {found.error.message}", found.error.hint
    raise Fault(Kind.CONFLICT, "no_fingerprint", message, hint, field="fingerprint")
