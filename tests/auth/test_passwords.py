from __future__ import annotations

import argon2
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from appliance.auth.passwords import MEMORY_KIB, PASSES, Cost, Passwords, check_new, make_first, prepare
from appliance.base.faults import Fault
from appliance.base.secrets import Secret

CHEAP = Cost(memory_kib=8, passes=1)
GOOD = Secret("correct horse battery")


async def test_the_right_password_and_no_other_is_verified() -> None:
    passwords = Passwords(CHEAP)
    encoded = await passwords.hash(GOOD)
    assert await passwords.verify(encoded, GOOD)
    assert not await passwords.verify(encoded, Secret("correct horse batterz"))
    assert not await passwords.verify(encoded, Secret(""))
    assert not await passwords.verify(None, GOOD)
    assert not await passwords.verify(None, Secret(""))


async def test_a_hash_is_argon2id_at_the_cost_that_was_chosen_and_salted() -> None:
    passwords = Passwords()
    first, second = await passwords.hash(GOOD), await passwords.hash(GOOD)
    assert first.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$")
    assert MEMORY_KIB >= 19 * 1024
    assert first != second
    assert not passwords.outdated(first)
    assert passwords.outdated(await Passwords(CHEAP).hash(GOOD))
    assert argon2.PasswordHasher().verify(first, GOOD.reveal().encode())  # the library's own judgement


async def test_it_does_not_matter_how_a_keyboard_composes_a_letter() -> None:
    passwords = Passwords(CHEAP)
    encoded = await passwords.hash(Secret("cafe\u0301 au lait, s'il"))
    assert await passwords.verify(encoded, Secret("café au lait, s'il"))


async def test_an_unknown_user_costs_as_much_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times differ on a busy machine; the work does not: same variant, memory, passes, lengths."""
    passwords = Passwords()
    looked_at: list[str] = []
    verify = argon2.PasswordHasher.verify

    def noted(self: argon2.PasswordHasher, encoded: str, password: bytes) -> bool:
        looked_at.append(encoded)
        return verify(self, encoded, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", noted)
    for encoded in (await passwords.hash(GOOD), None):
        assert not await passwords.verify(encoded, Secret("wrong wrong wrong"))
    known, unknown = looked_at
    assert argon2.extract_parameters(known) == argon2.extract_parameters(unknown)


async def test_a_damaged_hash_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    for damaged in ("", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$!!$!!", "$2b$12$" + "x" * 53):
        assert not await Passwords(CHEAP).verify(damaged, GOOD)
    assert "damaged" in caplog.text


async def test_two_at_a_time_and_the_loop_goes_on() -> None:
    passwords = Passwords()
    running = most = 0
    verify = passwords._verify

    def counted(encoded: str | None, password: bytes) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return verify(encoded, password)
        finally:
            running -= 1

    passwords._verify = counted  # type: ignore[method-assign]
    turns = 0
    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(passwords.verify, None, GOOD)
        await trio.testing.wait_all_tasks_blocked()
        while passwords._threads.borrowed_tokens:
            await trio.sleep(0.001)
            turns += 1
    assert most == 2
    assert turns > 10


@given(st.text())
def test_any_text_can_be_tried(text: str) -> None:
    assert isinstance(prepare(Secret(text)), bytes)


def test_a_lone_surrogate_out_of_json_can_be_tried_and_compared() -> None:
    assert prepare(Secret("\ud800")) == b"\xed\xa0\x80"
    assert Secret("\ud800") != Secret("x")


def test_a_huge_text_is_not_normalised() -> None:
    assert prepare(Secret("\ufdfa" * 10_000_000)) == b""


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery",
        "  twelve chars  ",
        "日本語のとても長い合言葉です",
        "x7#kQ!v9-zz$",
        "é" * 6 + "ü" * 5 + "ñ",
        "a b c d e f g",
    ],
)
def test_long_passwords_of_any_sort_are_taken(text: str) -> None:
    check_new(Secret(text), "anna")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 0 characters. Use 12 or more"),
        ("elevenchars", "has 11 characters"),
        ("e\u0301" * 11, "has 11 characters"),
        ("x" * 129 + "yz", "too long"),
        ("\ufdfa" * 100, "too long"),
        ("日" * 400, "too long"),
        ("a1" * 2000, "too long"),
        ("correct\nhorse\nbattery", "cannot be typed"),
        ("correct horse \ud800", "cannot be typed"),
        ("annaannaanna", "is the user name"),
        ("ANNAannaANNA", "is the user name"),
        ("password1234", "tried first"),
        ("PassWord1234", "tried first"),
        ("123456789012", "tried first"),
        ("aaaaaaaaaaaaaaa", "tried first"),
        ("abababababab", "tried first"),
        ("abcabcabcabc", "tried first"),
        ("ａｄｍｉｎｉｓｔｒａｔｏｒ", "tried first"),
    ],
)
def test_passwords_that_are_refused_say_why(text: str, says: str) -> None:
    with pytest.raises(Fault, match="The password") as caught:
        check_new(Secret(text), "anna")
    assert says in str(caught.value)
    assert caught.value.code == "weak_password"
    assert caught.value.field == "password"
    assert not text or text not in str(caught.value)


def test_a_long_user_name_is_no_password() -> None:
    with pytest.raises(Fault, match="is the user name"):
        check_new(Secret("Harbour Warehouse"), "harbour warehouse")


def test_a_first_password_is_random_readable_and_allowed() -> None:
    made = {make_first().reveal() for _ in range(200)}
    assert len(made) == 200
    for text in made:
        assert [len(group) for group in text.split("-")] == [4] * 5
        assert not set(text) & set("0O1lIi")
        check_new(Secret(text), "admin")
