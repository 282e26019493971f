"""``fanal doctor`` finds real faults, says what to do, and its exit code says whether that is urgent."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.cli.program import FANAL, Done, Server, fanal, own_mounts, running
from tests.peers.cameras import Cameras, free_port, running_cameras

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "s3cret-of-camera"
NEW_PASSWORD = "another passphrase of theirs"


def found(done: Done, check: str) -> list[dict[str, Any]]:
    """What a check found; whatever is not well has a remedy or is only worth knowing."""
    assert "Traceback" not in done.err
    findings: list[dict[str, Any]] = done.json["findings"]
    assert all(each["remedy"] for each in findings if each["level"] == "action")
    assert done.json["well"] is (done.code == 0) is not any(each["level"] == "action" for each in findings)
    return [each for each in findings if each["check"] == check]


def only(done: Done, check: str) -> dict[str, Any]:
    (finding,) = found(done, check)
    return finding


def examined(data: Path, prepare: str = "") -> Done:
    """The doctor's answer as JSON, where ``prepare`` does some mounting first, in mounts of its own."""
    command = shlex.join([*FANAL, "doctor", "--json", "--data", str(data)])
    done = subprocess.run(
        [*own_mounts(), "sh", "-e", "-c", f"{prepare}\nexec {command}"],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def used(folder: Path) -> Path:
    """A data folder of an appliance that ran once, without any fault; its ports are free ones."""
    with running(folder) as server:
        server.sign_in("admin", server.first_password())
        done = server.command("user", "set", "admin", "--password-stdin", stdin=NEW_PASSWORD + "\n")
        assert done.code == 0, done
        ports = free_port(), free_port()
        for name, port in zip(("http", "https"), ports, strict=True):
            assert server.command("config", "set", f"connectivity.{name}_port", str(port)).code == 0
        server.stop()
    return folder


def test_where_all_is_well_nothing_has_to_be_done(used: Path) -> None:
    done = fanal("doctor", data=used)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("All is well.\n")
    for check in ("clock", "disk", "ports", "certificate", "workers"):
        assert f" {check} " in done.out


def test_looking_makes_nothing(tmp_path: Path) -> None:
    done = fanal("doctor", "--json", data=tmp_path / "none")
    assert only(done, "appliance")["code"] == "no_data"
    assert not (tmp_path / "none").exists()


def test_a_taken_port_is_named_with_who_has_it(used: Path) -> None:
    port = int(fanal("config", "get", "connectivity.https_port", data=used).out.split()[-1])
    with socket.create_server(("127.0.0.1", port)):
        ports = {each["code"]: each for each in found(fanal("doctor", "--json", data=used), "ports")}
    assert ports.keys() == {"port_in_use", "well"}
    assert f"Port {port} is in use" in ports["port_in_use"]["message"]
    assert f"(process {os.getpid()})" in ports["port_in_use"]["message"]
    assert "connectivity.https_port" in ports["port_in_use"]["remedy"]


def test_a_full_disk_is_found_once(used: Path) -> None:
    data = shlex.quote(str(used))
    prepare = f"""
        mkdir /tmp/.fanal-copy.$$
        cp -a {data}/fanal.db {data}/tls /tmp/.fanal-copy.$$
        mount -t tmpfs -o size=2m,mode=700 none {data}
        mv /tmp/.fanal-copy.$$/* {data}
        rmdir /tmp/.fanal-copy.$$
        head -c 4m /dev/zero > {data}/fill 2>/dev/null || true
    """
    done = examined(used, prepare)
    assert only(done, "disk")["code"] == "disk_full"
    assert "has 0 of 2 MB left" in only(done, "disk")["message"]
    assert not [each for each in found(done, "appliance") if each["code"] == "disk_full"]


def test_a_disk_for_reading_only_is_found(used: Path) -> None:
    where = shlex.quote(str(used))
    done = examined(used, f"mount --bind {where} {where}\nmount -o remount,bind,ro {where}")
    assert only(done, "disk")["code"] == "data_not_writable"


def test_a_folder_that_others_may_write_is_found(used: Path) -> None:
    used.chmod(0o770)
    try:
        assert only(fanal("doctor", "--json", data=used), "disk")["remedy"] == f"Run: chmod 700 {used}"
    finally:
        used.chmod(0o700)


def test_a_clock_that_was_set_back_is_found(used: Path) -> None:
    """The data were written in what is now the future."""
    now = time.time()
    os.utime(used / "tls", (now, now + 86_400))
    try:
        done = fanal("doctor", "--json", data=used)
    finally:
        os.utime(used / "tls", (now, now))
    assert only(done, "clock")["code"] == "clock_set_back"
    assert "timesyncd" in only(done, "clock")["remedy"]


@pytest.fixture
def own(used: Path) -> Iterator[Any]:
    """Puts a certificate of one's own into the folder."""
    pair = used / "tls" / "cert.pem", used / "tls" / "key.pem"

    def install(name: str, **more: datetime) -> None:
        issued = trustme.CA().issue_cert(name, **more)
        pair[0].write_bytes(issued.cert_chain_pems[0].bytes())
        pair[1].write_bytes(issued.private_key_pem.bytes())

    yield install
    for path in pair:
        path.unlink(missing_ok=True)


def test_a_certificate_for_another_machine_is_found(used: Path, own: Any) -> None:
    own("elsewhere.example.org")
    finding = only(fanal("doctor", "--json", data=used), "certificate")
    assert finding["code"] == "certificate_names"
    assert "elsewhere.example.org" in finding["message"]
    assert socket.gethostname() in finding["message"]
    assert "connectivity.host_names elsewhere.example.org" in finding["remedy"]


def test_a_certificate_without_a_promised_name_is_found(used: Path, own: Any) -> None:
    own("*.example.org")
    assert fanal("config", "set", "connectivity.host_names", "cam.example.org", data=used).code == 0
    try:
        fits = fanal("doctor", "--json", data=used)
        own("other.example.org")
        fits_not = fanal("doctor", "--json", data=used)
    finally:
        fanal("config", "set", "connectivity.host_names", "", data=used)
    assert only(fits, "certificate")["code"] == "certificate_warns"  # at the machine's other names
    assert fits.code == 0
    assert only(fits_not, "certificate")["code"] == "certificate_names"
    assert "not for cam.example.org" in only(fits_not, "certificate")["message"]


def test_an_expired_certificate_is_found(used: Path, own: Any) -> None:
    own(socket.gethostname(), not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2021, 1, 1, tzinfo=UTC))
    codes = {each["code"] for each in found(fanal("doctor", "--json", data=used), "certificate")}
    assert "certificate_expired" in codes


def test_a_key_that_is_not_the_certificates_is_found(used: Path, own: Any) -> None:
    own(socket.gethostname())
    kept = (used / "tls" / "key.pem").read_bytes()
    own(socket.gethostname())
    (used / "tls" / "key.pem").write_bytes(kept)
    assert "key_mismatch" in {each["code"] for each in found(fanal("doctor", "--json", data=used), "certificate")}


def test_a_store_that_cannot_be_opened_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "fanal.db").write_bytes(b"no database" * 1000)
    done = fanal("doctor", "--json", data=tmp_path)
    assert only(done, "appliance")["level"] == "action"
    assert done.code == 1


@pytest.fixture(scope="module")
def cameras() -> Iterator[Cameras]:
    with running_cameras(user="admin", password=PASSWORD) as started:
        yield started


@pytest.fixture
def server(used: Path) -> Iterator[Server]:
    with running(used) as started:
        yield started


@pytest.mark.peer
def test_the_running_one_is_asked_and_cameras_are_looked_at(server: Server, cameras: Cameras) -> None:
    urls = {
        "good": cameras.url(userinfo=f"admin:{PASSWORD}@"),
        "locked": cameras.url(userinfo="admin:wrong-for-camera@"),
        "astray": cameras.url("/nothing", userinfo=f"admin:{PASSWORD}@"),
        "dead": f"rtsp://127.0.0.1:{free_port()}/",
    }
    for name, url in urls.items():
        assert server.command("camera", "add", name, url).code == 0
    try:
        done = server.command("doctor", "--json")
        plain = server.command("doctor")
    finally:
        for name in urls:
            server.command("camera", "remove", name)
    by_code = {each["code"]: each for each in found(done, "cameras")}
    assert by_code.keys() == {"well", "bad_credentials", "not_found", "refused"}
    assert "good" in by_code["well"]["message"]
    assert "fanal camera set “locked”" in by_code["bad_credentials"]["remedy"]
    assert "dead" in by_code["refused"]["message"]
    assert (plain.code, plain.out.splitlines()[-1]) == (1, "To be done: 3.")
    assert PASSWORD not in done.out + plain.out
    assert "wrong-for-camera" not in done.out + plain.out
    ports = found(done, "ports")
    assert {each["message"] for each in ports} >= {f"HTTPS port {server.port} answers at 127.0.0.1"}
    assert not [each for each in found(done, "appliance") if each["code"] == "not_running"]


def test_the_first_password_wants_changing(tmp_path: Path) -> None:
    with running(tmp_path / "d") as server:
        assert only(server.command("doctor", "--json"), "users")["code"] == "first_password"
