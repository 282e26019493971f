"""The web client's files: what browsers are told about them, and that no request becomes a path (A9)."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
from pathlib import Path

import pytest

import appliance.web
from appliance.base.faults import Fault
from appliance.web.pages import read_pages
from tests.web.appliance import House

STATIC = Path(appliance.web.__file__).parent / "static"
FILES = sorted(
    path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file() and path.name[0] != "."
)
TYPES = {
    ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8",
    ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_comes_as_it_was_built_with_its_type_and_the_right_time_to_keep_it(shared: House, name: str) -> None:
    answer = shared.stranger().call("GET", f"/{name}")
    assert answer.status == 200
    assert answer.body == (STATIC / name).read_bytes()
    assert answer.headers["content-type"] == TYPES[Path(name).suffix]
    hashed = name.startswith("assets/")
    assert answer.headers["cache-control"] == ("public, max-age=31536000, immutable" if hashed else "no-cache")
    again = shared.stranger().call("GET", f"/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.headers["etag"]) == (304, answer.headers["etag"])
    head = shared.stranger().call("HEAD", f"/{name}")
    assert (head.status, head.headers["content-length"]) == (200, str(len(answer.body)))


def test_packed_and_plain_are_told_apart(shared: House) -> None:
    name = next(name for name in FILES if name.startswith("assets/") and name.endswith(".js"))
    plain = shared.stranger().call("GET", f"/{name}", headers={"Accept-Encoding": "gzip;q=0, identity"})
    packed = shared.stranger().call("GET", f"/{name}", headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    crossed = {"Accept-Encoding": "gzip", "If-None-Match": plain.headers["etag"]}
    assert shared.stranger().call("GET", f"/{name}", headers=crossed).status == 200


def test_every_page_of_the_client_is_its_document(shared: House) -> None:
    document = (STATIC / "index.html").read_bytes()
    for path in (
        "/",
        "/sign-in",
        "/live/all",
        "/camera/3f2c9a52-7d0c-4a0e-9b1d-2f1f0c9d8e7a",
        "/live/%3Cscript%3E",
        "/?x=1",
    ):
        answer = shared.stranger().call("GET", path)
        assert (answer.status, answer.body) == (200, document)
        assert answer.headers["cache-control"] == "no-cache"


def test_the_document_has_nothing_inline_that_the_policy_forbids(shared: House) -> None:
    text = shared.stranger().call("GET", "/").body.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text) == []
    for source in re.findall(r'(?:src|href)="([^"#]+)"', text):
        assert shared.stranger().call("GET", source).status == 200, source


def test_the_client_can_be_installed_and_its_worker_is_asked_for_anew(shared: House) -> None:
    manifest = json.loads(shared.stranger().call("GET", "/manifest.webmanifest").body)
    assert manifest["start_url"].startswith("/")
    for icon in manifest["icons"]:
        answer = shared.stranger().call("GET", icon["src"])
        assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, icon["type"])
    worker = shared.stranger().call("GET", "/sw.js")
    assert worker.headers["cache-control"] == "no-cache"  # else an upgrade would not come through (CLI-9)


def climbing() -> list[str]:
    """Addresses that would leave the folder if they were paths, generated; the same ones at each run."""
    chosen = random.Random(9)
    steps = [
        "..",
        "%2e%2e",
        "%2E%2e",
        ".%2e",
        "..%00",
        "..;",
        "%252e%252e",
        "%c0%ae%c0%ae",
        "..%5c",
        "..\\",
        "....//",
        ".",
    ]
    slashes = ["/", "%2f", "%2F", "//", "%5c", "\\", "%252f", "/./"]
    goals = ["etc/passwd", "fanal.db", "metrics-token", "first-password", "secret-key", "tls/key.pem", "logs/fanal.log",
             "app.py", "__init__.py", "templates/trust.html", "proc/self/environ", ".env", "index.html"]  # fmt: skip
    starts = ["/", "/assets/", "/icons/", "/assets/../", "/live/", "/trust/", "/api/v1/", "/static/", "//", "/assets//"]
    found = [
        f"{start}{step}{slash}{goal}" for start, step, slash, goal in itertools.product(starts, steps, slashes, goals)
    ]
    deeper = []
    for _ in range(2000):
        climb = "".join(chosen.choice(steps) + chosen.choice(slashes) for _ in range(chosen.randint(2, 9)))
        deeper.append(chosen.choice(starts) + climb + chosen.choice(goals))
    absolute = [f"{start}{slash}{goal}" for start in starts for slash in ("/", "%2f") for goal in goals]
    return chosen.sample(found, 800) + chosen.sample(deeper, 600) + absolute


def test_no_address_leads_out_of_the_clients_files(shared: House) -> None:
    visitor = shared.stranger()
    allowed = {(STATIC / name).read_bytes() for name in FILES}
    tried = climbing()
    assert len(tried) > 1500
    for path in tried:
        answer = visitor.call("GET", path)
        # a single segment below /live/ is a page of the client, whatever it is called
        assert answer.status in (404, 405) or (answer.status == 200 and answer.body in allowed), (path, answer)
        assert b"root:" not in answer.body
    refused = sum(answer.status == 404 for answer in shared.answers[-len(tried) :])
    assert refused > 0.9 * len(tried)


def test_a_build_without_a_client_says_so(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="not built"):
        read_pages(tmp_path)
    (tmp_path / "index.html").write_text("<p>x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.js").write_text("secret")
    assert list(read_pages(tmp_path)) == ["index.html"]
