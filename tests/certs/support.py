"""Outside judges of what this room makes: the openssl command and Python's ssl."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2030, 3, 1, 12, 0, tzinfo=UTC)


def openssl(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("openssl")
    assert program, "these tests need openssl"
    return subprocess.run(
        [program, *arguments], input=stdin, capture_output=True, check=False, timeout=20
    )  # fmt: skip


def verify(folder: Path, authority: bytes, leaf: bytes, at: datetime, *options: str) -> str:
    """ "" if openssl is content with the leaf, else what it says."""
    (folder / "judged-ca.pem").write_bytes(authority)
    (folder / "judged-leaf.pem").write_bytes(leaf)
    done = openssl(
        "verify", "-x509_strict", "-purpose", "sslserver", "-attime", str(int(at.timestamp())), *options,
        "-CAfile", str(folder / "judged-ca.pem"), str(folder / "judged-leaf.pem"),
    )  # fmt: skip
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    """The client's side of a handshake over a socket pair.  Raises what the client raises."""
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.settimeout(10)
    failures: list[Exception] = []

    def serve() -> None:
        try:
            with server.wrap_socket(ours, server_side=True) as secured:
                secured.recv(1)
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(theirs, server_hostname=name) as secured:
            assert secured.getpeercert(binary_form=True)
            return secured
    finally:
        theirs.close()
        thread.join(10)
        ours.close()


def common_name(context: ssl.SSLContext) -> str:
    """Whose certificate a server's context shows."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    shown = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(shown[0], shown[1]),
        context.wrap_bio(shown[1], shown[0], server_side=True),
    )
    done = [False, False]
    for _ in range(10):
        for number, side in enumerate(sides):
            if not done[number]:
                try:
                    side.do_handshake()
                    done[number] = True
                except ssl.SSLWantReadError:
                    pass
    assert all(done)
    from cryptography import x509

    der = sides[0].getpeercert(binary_form=True)
    assert der is not None
    (attribute,) = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(attribute.value)
