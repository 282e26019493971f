from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.auth.rights import ALL, LOCAL, NONE, Holdings, Principal, Right, Rights, RightsChange, Role

A, B = "camera-a", "camera-b"


def viewer(user_id: str = "u1") -> Principal:
    return Principal(user_id=user_id, name="Vera", role=Role.VIEWER)


def test_a_viewer_may_nothing_until_granted() -> None:
    rights = Rights()
    rights.put("u1", Holdings(Role.VIEWER))
    for right in Right:
        assert not rights.allows(viewer(), right, A)
        assert rights.cameras(viewer(), right) == NONE


def test_somebody_unknown_may_nothing_whatever_role_they_claim() -> None:
    claimed = Principal(user_id="u9", name="Mallory", role=Role.ADMINISTRATOR)
    assert not any(Rights().allows(claimed, right, A) for right in Right)


def test_a_grant_is_for_that_right_and_that_camera_only() -> None:
    rights = Rights()
    rights.put("u1", Holdings(Role.VIEWER, grants={Right.LIVE: frozenset({A})}))
    assert rights.allows(viewer(), Right.LIVE, A)
    assert not rights.allows(viewer(), Right.LIVE, B)
    assert not rights.allows(viewer(), Right.AUDIO, A)
    assert not rights.allows(viewer(), Right.LIVE)
    assert not rights.allows(viewer(), Right.ADMINISTER)


def test_a_grant_on_all_covers_cameras_added_later() -> None:
    rights = Rights()
    rights.put("u1", Holdings(Role.VIEWER, grants={Right.LIVE: ALL}))
    assert rights.allows(viewer(), Right.LIVE, "added tomorrow")
    assert rights.allows(viewer(), Right.LIVE)
    assert not rights.allows(viewer(), Right.AUDIO, "added tomorrow")


def test_a_viewer_never_administers_even_with_such_a_grant_in_the_store() -> None:
    rights = Rights()
    rights.put("u1", Holdings(Role.VIEWER, grants={Right.ADMINISTER: ALL}))
    assert not rights.allows(viewer(), Right.ADMINISTER)


def test_an_administrator_and_the_local_socket_may_everything() -> None:
    rights = Rights()
    rights.put("u1", Holdings(Role.ADMINISTRATOR))
    for principal in (viewer(), LOCAL):
        assert all(rights.allows(principal, right, A) for right in Right)
        assert all(rights.cameras(principal, right) is ALL for right in Right)


def test_a_disabled_administrator_may_nothing() -> None:
    rights = Rights()
    rights.put("u1", Holdings(Role.ADMINISTRATOR, disabled=True))
    assert not any(rights.allows(viewer(), right, A) for right in Right)


async def test_changes_name_the_user_and_no_change_is_no_news() -> None:
    rights = Rights()
    held = Holdings(Role.VIEWER, grants={Right.LIVE: frozenset({A, B})})
    with rights.changes.listen() as news:
        rights.put("u1", held)
        rights.put("u1", held)
        rights.drop("u1")
        rights.drop("u1")
        rights.put("u2", held)
        seen = [await news.receive() for _ in range(3)]
    assert seen == [RightsChange(frozenset({name})) for name in ("u1", "u1", "u2")]
    assert not rights.allows(viewer("u1"), Right.LIVE, A)


def test_a_removed_camera_leaves_every_grant_and_all_stays_all() -> None:
    rights = Rights()
    rights.put("u1", Holdings(Role.VIEWER, grants={Right.LIVE: frozenset({A, B}), Right.AUDIO: ALL}))
    rights.forget_camera(A)
    assert rights.cameras(viewer(), Right.LIVE) == frozenset({B})
    assert rights.cameras(viewer(), Right.AUDIO) is ALL


CAMERAS = st.frozensets(st.sampled_from([A, B, "camera-c"])) | st.just(ALL)
HOLDINGS = st.builds(
    Holdings, st.sampled_from(Role), st.booleans(), st.dictionaries(st.sampled_from(Right), CAMERAS)
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["u1", "u2"]), HOLDINGS))
def test_every_role_right_and_camera_agrees_with_the_rule_in_words(held: dict[str, Holdings]) -> None:
    rights = Rights()
    for user_id, holdings in held.items():
        rights.put(user_id, holdings)
    for user_id in ("u1", "u2", "u3"):
        for right in Right:
            for camera in (A, B, "camera-c", "camera-d"):
                has = held.get(user_id, Holdings(Role.VIEWER))
                expected = not has.disabled and (
                    has.role is Role.ADMINISTRATOR
                    or (right is not Right.ADMINISTER and camera in has.grants.get(right, NONE))
                )
                assert rights.allows(viewer(user_id), right, camera) == expected
