"""The certificate in force follows the files, keeps what is good, and says what is not."""

from __future__ import annotations

import logging
import ssl
import stat
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trustme

from appliance.base.clock import TICKS_PER_SECOND, ManualClock
from appliance.base.faults import Fault
from appliance.certs import contexts
from appliance.certs.contexts import TlsHolder, client_context, open_tls_holder
from tests.certs.support import common_name, handshake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DAY_S = 86_400


class Machine:
    """A data folder, a clock, a host name and addresses that a test can change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tls"
        self.clock = ManualClock(int(datetime.now(UTC).timestamp()) * TICKS_PER_SECOND)
        self.host_name = "gate"
        self.addresses = [ip_address("192.0.2.7")]

    @asynccontextmanager
    async def holder(self) -> AsyncIterator[TlsHolder]:
        async with open_tls_holder(
            self.folder, self.clock, host_name=lambda: self.host_name, addresses=lambda: self.addresses
        ) as holder:
            yield holder

    def put(self, leaf: trustme.LeafCert, *, chain: bool = True, key: bool = True) -> None:
        """The administrator's files, as an editor or a renewing program writes them."""
        if chain:
            (self.folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        if key:
            (self.folder / "key.pem").write_bytes(leaf.private_key_pem.bytes())

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


async def settle(holder: TlsHolder) -> None:
    """What two looks at the files come to: the first may give them time to be written."""
    for _ in range(2):
        await holder.check()


def named(authority: trustme.CA, name: str) -> trustme.LeafCert:
    return authority.issue_cert(name, common_name=name)


async def test_a_first_start_makes_an_authority_and_a_certificate_that_it_vouches_for(machine: Machine) -> None:
    async with machine.holder() as holder:
        pem = await holder.authority_pem()
        assert pem == machine.read("authority.pem")
        assert pem is not None
        shown = holder.state.value
        assert (shown.source, holder.problem, shown.warning) == ("local", None, None)
        assert shown.certificate.names == ("localhost", "gate", "gate.local", "127.0.0.1", "192.0.2.7", "::1")
        for name in ("gate.local", "192.0.2.7"):
            secured = await trio.to_thread.run_sync(handshake, holder.context, client_context(pem), name)
            assert secured.version() in (None, "TLSv1.3")


async def test_the_keys_are_for_us_alone(machine: Machine) -> None:
    async with machine.holder():
        assert stat.S_IMODE(machine.folder.stat().st_mode) == 0o700
        for path in machine.folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


async def test_a_second_start_keeps_both(machine: Machine) -> None:
    async with machine.holder():
        pass
    before = {path.name: path.read_bytes() for path in machine.folder.iterdir()}
    async with machine.holder():
        assert {path.name: path.read_bytes() for path in machine.folder.iterdir()} == before


async def test_new_addresses_and_nearing_ends_give_a_new_certificate_of_the_same_authority(machine: Machine) -> None:
    async with machine.holder() as holder:
        trusted = await holder.authority_pem()
        first = holder.context
        await settle(holder)
        assert holder.context is first
        machine.addresses.append(ip_address("192.0.2.8"))
        await settle(holder)
        second = holder.context
        assert second is not first
        assert "192.0.2.8" in holder.state.value.certificate.names
        machine.clock.advance(368 * DAY_S)
        await settle(holder)
        assert holder.context is not second
        assert holder.state.value.certificate.warning(datetime.now(UTC)) is None
        machine.host_name = "door.internal"
        await settle(holder)
        assert "door.internal" in holder.state.value.certificate.names
        assert await holder.authority_pem() == trusted


async def test_a_name_that_the_authority_may_not_sign_for_is_reported(machine: Machine) -> None:
    async with machine.holder() as holder:
        machine.host_name = "door.example.com"
        await settle(holder)
        assert holder.state.value.not_covered == ("door.example.com",)


async def test_an_own_certificate_wins_at_once_and_its_renewal_too(machine: Machine, authority: trustme.CA) -> None:
    async with machine.holder() as holder:
        assert common_name(holder.context) == "gate.local"
        machine.put(named(authority, "one.example.org"))
        await settle(holder)
        assert (common_name(holder.context), holder.state.value.source) == ("one.example.org", "own")
        before = holder.context
        machine.put(named(authority, "two.example.org"))
        await settle(holder)
        assert common_name(holder.context) == "two.example.org"
        assert common_name(before) == "one.example.org", "what is open keeps its own"
    async with machine.holder() as holder:
        assert common_name(holder.context) == "two.example.org"
        for name in ("cert.pem", "key.pem"):
            (machine.folder / name).unlink()
        await settle(holder)
        assert common_name(holder.context) == "gate.local"
        assert holder.problem is None


async def test_a_bad_file_changes_nothing_and_is_reported_once(
    machine: Machine,
    authority: trustme.CA,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with machine.holder() as holder:
        machine.put(named(authority, "one.example.org"))
        await settle(holder)
        good = holder.context
        machine.put(named(authority, "two.example.org"), key=False)
        with caplog.at_level(logging.ERROR):
            for _ in range(10):
                await settle(holder)
        assert holder.context is good
        assert holder.problem is not None
        assert holder.problem.code == "key_mismatch"
        assert len(caplog.records) == 1
        assert "key.pem is not the key" in caplog.text
        machine.put(named(authority, "three.example.org"))
        await settle(holder)
        assert common_name(holder.context) == "three.example.org"
        assert holder.problem is None


async def test_files_that_are_being_written_are_not_complained_about(
    machine: Machine,
    authority: trustme.CA,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with machine.holder() as holder:
        leaf = named(authority, "one.example.org")
        machine.put(leaf, key=False)
        await holder.check()  # it falls in between
        assert holder.problem is None
        machine.put(leaf, chain=False)
        await settle(holder)
        assert common_name(holder.context) == "one.example.org"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_own_certificate_that_is_bad_at_the_start_leaves_the_local_one(
    machine: Machine, authority: trustme.CA
) -> None:
    machine.folder.mkdir(mode=0o700)
    machine.put(named(authority, "one.example.org"), key=False)
    async with machine.holder() as holder:
        assert holder.state.value.source == "local"
        assert holder.problem is not None
        assert holder.problem.code == "certificate_incomplete"
        assert "key.pem" in holder.problem.message


async def test_an_own_certificate_that_ends_is_warned_of_and_then_replaced_by_the_local_one(
    machine: Machine, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    ends = datetime.fromtimestamp(machine.clock.utc_90k() // TICKS_PER_SECOND + 40 * DAY_S, UTC)
    async with machine.holder() as holder:
        machine.put(authority.issue_cert("one.example.org", common_name="one.example.org", not_after=ends))
        await settle(holder)
        assert holder.state.value.warning is None
        seen = []
        for days in (15, 18, 6, 2):  # on day 15, 33, 39, 41
            machine.clock.advance(days * DAY_S)
            await settle(holder)
            seen.append((holder.state.value.warning, common_name(holder.context)))
        assert [warning for warning, _ in seen] == [30, 7, 1, None]
        assert [name for _, name in seen] == ["one.example.org"] * 3 + ["gate.local"]
        assert holder.problem is not None
        assert holder.problem.code == "certificate_expired"
    assert caplog.text.count("the certificate ends in") == 3


async def test_a_damaged_authority_is_not_replaced_and_what_it_signed_goes_on(machine: Machine) -> None:
    async with machine.holder() as holder:
        good = holder.context
        (machine.folder / "authority-key.pem").write_text("gone")
        await settle(holder)
        assert holder.context is good
        assert holder.problem is not None
        assert holder.problem.code == "authority_unusable"
    with pytest.raises(Fault, match="backup"):
        async with machine.holder():
            pass


async def test_a_damaged_server_certificate_is_just_made_anew(machine: Machine) -> None:
    async with machine.holder() as holder:
        trusted = await holder.authority_pem()
    (machine.folder / "server.pem").write_bytes(b"damaged")
    async with machine.holder() as holder:
        assert (holder.problem, await holder.authority_pem()) == (None, trusted)
        assert machine.read("server.pem") != b"damaged"


async def test_a_crash_between_the_two_files_of_the_authority_leaves_none(machine: Machine) -> None:
    machine.folder.mkdir(mode=0o700)
    (machine.folder / "authority-key.pem").write_bytes(b"half of what was to be written")
    async with machine.holder() as holder:
        assert holder.problem is None


async def test_an_expired_authority_is_made_anew(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    async with machine.holder() as holder:
        trusted = await holder.authority_pem()
    machine.clock.advance(3700 * DAY_S)
    async with machine.holder() as holder:
        assert await holder.authority_pem() != trusted
        assert holder.problem is None
    assert "have to trust anew" in caplog.text


async def test_a_disk_that_fails_while_running_changes_nothing(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(contexts, "CHECK_S", 0.01)
    async with machine.holder() as holder:
        good = holder.context

        failed = trio.Semaphore(0)

        def fail(*_: Any) -> None:
            trio.from_thread.run_sync(failed.release)
            raise OSError("input/output error")

        monkeypatch.setattr(contexts, "stamps", fail)
        with caplog.at_level(logging.WARNING), trio.fail_after(20):
            for _ in range(3):
                await failed.acquire()
        assert holder.context is good
        assert caplog.text.count("input/output error") == 1


async def test_files_are_looked_at_by_itself_and_the_state_can_be_waited_for(
    machine: Machine, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contexts, "CHECK_S", 0.02)
    async with machine.holder() as holder:
        machine.put(named(authority, "one.example.org"))
        with trio.fail_after(10):
            state = await holder.state.wait_change()
        assert state.certificate.subject == "one.example.org"


async def test_tls_below_1_2_and_other_protocols_are_not_spoken(machine: Machine) -> None:
    async with machine.holder() as holder:
        trusted = await holder.authority_pem()
        assert trusted is not None
        old = client_context(trusted)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.set_alpn_protocols(["h2", "http/1.1"])
        secured = await trio.to_thread.run_sync(handshake, holder.context, old, "localhost")
        assert isinstance(secured, ssl.SSLSocket)
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError):
            await trio.to_thread.run_sync(handshake, holder.context, old, "localhost")


def test_a_client_trusts_the_chosen_authority_and_no_other(authority: trustme.CA) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    named(authority, "camera.example.org").configure_cert(server)
    handshake(server, client_context(authority.cert_pem.bytes()), "camera.example.org")
    for other in (client_context(trustme.CA().cert_pem.bytes()), client_context()):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(server, other, "camera.example.org")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(server, client_context(authority.cert_pem.bytes()), "other.example.org")


def test_a_single_certificate_may_be_trusted_for_itself(authority: trustme.CA) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf = named(authority, "camera.example.org")
    leaf.configure_cert(server)
    handshake(server, client_context(leaf.cert_chain_pems[0].bytes()), "camera.example.org")


def test_what_is_no_authority_is_refused() -> None:
    for data in (b"", b"nonsense", b"\xff\xfe"):
        with pytest.raises(Fault) as fault:
            client_context(data)
        assert fault.value.code == "bad_authority"
