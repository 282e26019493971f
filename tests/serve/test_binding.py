"""Listening, and what is said when that fails."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.base.faults import Fault
from appliance.serve.binding import ALL_INTERFACES, Binds, open_sockets, peer_uid
from appliance.serve.ports import holder_of

LOOPBACK = "127.0.0.1"


def refusal(binds: Binds) -> Fault:
    with pytest.raises(Fault) as fault:
        open_sockets(binds).close()
    return fault.value


def test_a_port_that_is_taken_is_named_with_who_has_it() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        fault = refusal(Binds(http=[(LOOPBACK, 0), (LOOPBACK, port)]))
    assert fault.code == "port_in_use"
    assert f"Port {port} is in use by " in fault.message
    assert f"(process {os.getpid()})" in fault.message
    assert "another port" in fault.hint


def test_a_port_taken_by_another_process_is_found_too() -> None:
    code = (
        "import socket, sys\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"
        "print(listening.getsockname()[1], flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        assert f"(process {other.pid})" in (holder_of(port) or "")
        assert other.stdin is not None
        other.stdin.close()


def test_nobody_is_named_where_nothing_can_be_seen(tmp_path: Path) -> None:
    assert holder_of(1, tmp_path) is None
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text("  sl  local_address\n 0: 0100007F:1F91 00000000:0000 0A 0 0 0 0 0 777 1\n")
    assert holder_of(0x1F91, tmp_path) is None


def test_everything_opened_is_closed_when_one_fails() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken, socket.create_server((LOOPBACK, 0)) as probe:
        free = probe.getsockname()[1]
        probe.close()
        refusal(Binds(http=[(LOOPBACK, free)], https=[(LOOPBACK, taken.getsockname()[1])]))
        socket.create_server((LOOPBACK, free)).close()


def test_an_address_of_another_machine_is_refused() -> None:
    for host in ("203.0.113.77", "no.such.host.invalid", "a" * 300):
        fault = refusal(Binds(http=[(host, 0)]))
        assert fault.code == "no_such_address"
        assert host in fault.message


def test_a_port_that_the_system_forbids_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidding(socket.socket):
        def bind(self, address: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "socket", Forbidding)
    fault = refusal(Binds(http=[(LOOPBACK, 80)]))
    assert fault.code == "port_not_permitted"
    assert "1024" in fault.hint


def test_all_interfaces_are_ipv4_and_ipv6() -> None:
    sockets = open_sockets(Binds(http=[(ALL_INTERFACES, "auto")]))
    try:
        (listening,) = sockets.http
        for host in (LOOPBACK, "::1") if socket.has_dualstack_ipv6() else (LOOPBACK,):
            socket.create_connection((host, listening.getsockname()[1]), timeout=2).close()
    finally:
        sockets.close()


@pytest.mark.parametrize("trouble", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def test_a_machine_without_ipv6_is_served_over_ipv4(monkeypatch: pytest.MonkeyPatch, trouble: int) -> None:
    class WithoutIpv6(socket.socket):
        def __init__(self, family: int = -1, *rest: Any, **named: Any) -> None:
            if family == socket.AF_INET6 and trouble == errno.EAFNOSUPPORT:
                raise OSError(trouble, "not here")
            super().__init__(family, *rest, **named)

        def bind(self, address: Any) -> None:
            if self.family == socket.AF_INET6:
                raise OSError(trouble, "not here")
            super().bind(address)

    monkeypatch.setattr(socket, "socket", WithoutIpv6)
    sockets = open_sockets(Binds(http=[(ALL_INTERFACES, 0)]))
    try:
        assert [sock.family for sock in sockets.http] == [socket.AF_INET]
    finally:
        sockets.close()


def test_every_address_behind_a_name_gets_the_same_port() -> None:
    sockets = open_sockets(Binds(http=[("localhost", 0)]))
    try:
        assert len({sock.getsockname()[1] for sock in sockets.http}) == 1
    finally:
        sockets.close()


def test_the_local_socket_is_ours_alone_and_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    sockets = open_sockets(Binds(unix=path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["control.sock"]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert sockets.unix is not None
        accepted, _ = sockets.unix.accept()
        with accepted:
            assert peer_uid(accepted) == os.getuid()
    sockets.close()
    assert list(tmp_path.iterdir()) == []


def test_the_socket_of_a_dead_server_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert path.is_socket()
    open_sockets(Binds(unix=path)).close()
    assert not path.exists()


def test_the_socket_of_a_live_server_is_not(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    first = open_sockets(Binds(unix=path))
    try:
        fault = refusal(Binds(http=[(LOOPBACK, 0)], unix=path))
        assert fault.code == "already_running"
        assert str(path) in fault.message
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    finally:
        first.close()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("precious")
    assert refusal(Binds(unix=path)).code == "socket_path_taken"
    assert path.read_text() == "precious"


def test_a_socket_that_became_another_servers_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    first = open_sockets(Binds(unix=path))
    path.unlink()
    second = open_sockets(Binds(unix=path))
    first.close()
    assert path.is_socket()
    second.close()


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    assert refusal(Binds(unix=tmp_path / ("x" * 120))).code == "socket_path_too_long"
