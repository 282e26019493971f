from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.secrets import Secret, redact


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:canary@10.0.0.5/main",
        "at rtsp://10.0.0.5/user=admin&password=canary&channel=1 nothing answers",
        "rtsp://10.0.0.5:554/user=admin_password=canary_channel=1_stream=0.sdp",
        "GET /live.mp4?ticket=canary HTTP/1.1",
        "Authorization: Bearer canary",
        '{"password": "canary", "x": 1}',
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    assert "canary" not in redact(text)


@given(st.text(), st.text())
def test_secrets_compare_and_never_print(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) == (one == other)
    assert str(Secret(one)) == str(Secret(other))
    assert repr(Secret(one)) == repr(Secret(other))
