from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.faults import Fault
from appliance.base.secrets import Secret
from appliance.store.secretbox import KEY_NAME, SecretBox, open_secret_box

if TYPE_CHECKING:
    from pathlib import Path

BOX = SecretBox(bytes(range(32)))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS, TEXTS)
def test_what_was_sealed_opens_again_where_it_belongs(secret: str, place: str) -> None:
    assert BOX.unseal(BOX.seal(Secret(secret), place), place) == Secret(secret)


@given(st.text("abc", min_size=1), st.text("abc", min_size=1))
def test_a_value_moved_to_another_row_does_not_open(here: str, there: str) -> None:
    if here == there:
        there += "x"
    with pytest.raises(Fault) as caught:
        BOX.unseal(BOX.seal(Secret("s3cret"), here), there)
    assert caught.value.code == "secret_unreadable"


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_does_not_open(position: int, flip: int) -> None:
    sealed = bytearray(BOX.seal(Secret("s3cret"), "here"))
    sealed[position % len(sealed)] ^= flip
    with pytest.raises(Fault, match="stored password"):
        BOX.unseal(bytes(sealed), "here")


@given(st.binary(max_size=80))
def test_garbage_gives_the_one_fault(garbage: bytes) -> None:
    with pytest.raises(Fault) as caught:
        BOX.unseal(garbage, "here")
    assert caught.value.code == "secret_unreadable"


def test_the_same_secret_is_sealed_differently_each_time_and_not_in_clear() -> None:
    first, second = (BOX.seal(Secret("s3cret"), "here") for _ in range(2))
    assert first != second
    assert b"s3cret" not in first


def test_another_key_is_told_from_damage_and_the_secret_is_not_in_the_message() -> None:
    sealed = SecretBox(os.urandom(32)).seal(Secret("s3cret"), "here")
    with pytest.raises(Fault, match="another key") as caught:
        BOX.unseal(sealed, "here")
    assert KEY_NAME in caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_the_key_is_made_once_private_and_kept(tmp_path: Path) -> None:
    sealed = open_secret_box(tmp_path).seal(Secret("s3cret"), "here")
    assert (tmp_path / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]
    assert open_secret_box(tmp_path).unseal(sealed, "here").reveal() == "s3cret"


def test_a_lost_key_costs_what_it_sealed_and_nothing_else(tmp_path: Path) -> None:
    sealed = open_secret_box(tmp_path).seal(Secret("s3cret"), "here")
    (tmp_path / KEY_NAME).unlink()
    box = open_secret_box(tmp_path)
    with pytest.raises(Fault) as caught:
        box.unseal(sealed, "here")
    assert caught.value.code == "secret_unreadable"
    assert box.unseal(box.seal(Secret("new"), "here"), "here").reveal() == "new"


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_file_that_is_no_key_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_NAME).write_bytes(content)
    with pytest.raises(Fault, match="is not a key") as caught:
        open_secret_box(tmp_path)
    assert caught.value.code == "secret_key_damaged"
    assert (tmp_path / KEY_NAME).read_bytes() == content


def test_a_key_others_could_read_is_made_private_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_secret_box(tmp_path)
    (tmp_path / KEY_NAME).chmod(0o644)
    open_secret_box(tmp_path)
    assert (tmp_path / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert KEY_NAME in caplog.text


def test_a_key_that_is_a_link_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(bytes(32))
    (tmp_path / KEY_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Fault) as caught:
        open_secret_box(tmp_path)
    assert caught.value.code == "data_unusable"


def test_the_box_does_not_print_its_key() -> None:
    assert repr(BOX) == "SecretBox()"
    assert "s3cret" not in repr(Secret("s3cret"))
