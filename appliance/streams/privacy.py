"""What a privacy mask means for one user: the one place that is asked before a picture of a camera leaves (row TRA-4).

Administrators have every right, `unmasked` too: they draw the mask, and have to see what it hides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.auth.rights import Right
from appliance.base.faults import Fault, Kind
from appliance.media.masks import NO_MASK

if TYPE_CHECKING:
    from appliance.auth.rights import Principal, Rights
    from appliance.media.masks import Mask
    from appliance.sites.cameras import Camera


def mask_for(rights: Rights, principal: Principal, camera: Camera) -> Mask:
    """What has to be burned into this camera's picture for this user, now.

    Empty: they may have its video as it is (direct, ``live.mp4``, every native form).  Else they get pictures that are
    made here, and nothing else.
    """
    return NO_MASK if rights.allows(principal, Right.UNMASKED, camera.id) else camera.mask


def refuse_native(rights: Rights, principal: Principal, camera: Camera) -> None:
    """Raises `Fault` ``privacy_mask`` where this user may not have this camera's video as it is."""
    if mask_for(rights, principal, camera):
        raise Fault(
            Kind.FORBIDDEN,
            "privacy_mask",
            "This camera has a privacy mask, and the video as the camera sends it would show what is under it.",
            "Take live, or snapshot.jpg: they are masked. Or ask your administrator for the “unmasked” right.",
        )
