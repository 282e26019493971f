"""Status, active users, metrics, health: for whom, and that the numbers are those of the house."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from appliance import __version__
from appliance.auth.rights import Role
from tests.streams.scripted import picture
from tests.web.appliance import House, open_house
from tests.web.endless import EndlessOpeners
from tests.web.scenes import eventually, feed, give


async def test_the_status_counts_what_there_is() -> None:
    async with open_house(openers=EndlessOpeners()) as house:
        camera = await house.camera("Gate")
        chief, anna = await house.administrator(), await house.viewer("anna", camera)
        await eventually(lambda: house.services.directory.state(camera.id).state == "ok")
        async with anna.live(camera.id) as view:
            await view.want()
            await view.fragments(5)
            await eventually(lambda: house.services.load.latest is not None)
            status = (await chief.get("/api/v1/status")).json
            (mine, *_), (other,) = await rows(chief, "anna"), await rows(chief, "chief")
        assert (status["version"], status["viewers"], status["streams_open"], status["users"]) == (__version__, 1, 1, 2)
        assert status["cameras"] == {"ok": 1, "waiting": 0, "lost": 0, "unknown": 0}
        assert 0 <= status["cpu"] <= 1
        assert status["level"].items() >= {"number": 1, "max_fps": 25, "max_width": 1920, "max_height": 1080}.items()
        assert 0 <= status["level"]["cpu_percent"] <= 100
        assert 10 << 20 < status["memory"] < 2 << 30
        since = datetime.fromisoformat(status["running_since"])
        assert timedelta(0) <= datetime.now(UTC) - since < timedelta(minutes=2)
        tls = house.services.tls
        assert tls is not None
        assert status["certificate"]["fingerprint"] == tls.state.value.certificate.fingerprint_sha256
        assert "127.0.0.1" in status["certificate"]["names"]
        await house.services.pool.warm()
        await eventually(lambda: any(house.services.pool.hardware))
        looked = (await chief.get("/api/v1/status")).json["hardware_decoding"]
        assert looked["state"] in ("not_available", "available")
        assert looked["why"] != "No worker has looked yet."
        await house.services.settings.change({"performance.hardware_decoding": "off"}, by="test")
        assert (await chief.get("/api/v1/status")).json["hardware_decoding"]["state"] == "off"
        codes = {item["code"]: item for item in status["attention"]}
        assert codes["first_password"]["severity"] == "urgent"  # the one the house was begun with
        assert codes["first_password"]["details"] == {"user": "admin"}
        assert (mine["direct_streams"], mine["sessions"], mine["state"]) == (1, 1, "logged_in")
        assert mine["video_kbytes"] > 0
        assert (other["direct_streams"], other["video_kbytes"]) == (0, 0)
        await eventually(lambda: not len(house.services.audience))
        assert (await chief.get("/api/v1/status")).json["viewers"] == 0
        history = (await chief.get("/api/v1/status/history")).json
        assert len(history["ago_s"]) == len(history["cpu"]) == len(history["sent"]) >= 1


async def rows(chief, name: str) -> list[dict]:
    listed = (await chief.get("/api/v1/status/users")).json["users"]
    return [row for row in listed if row["name"] == name]


async def test_metrics_have_a_token_of_their_own_that_opens_nothing_else(house: House) -> None:
    camera = await house.camera("Gate")
    token = (house.folder / "metrics-token").read_text().strip()
    assert (house.folder / "metrics-token").stat().st_mode & 0o077 == 0
    anna, prometheus = await house.viewer("anna", camera), house.stranger(token=token)
    async with anna.live(camera.id) as view:
        await view.want()
        source = await feed(house, camera)
        await give(source, picture(0), picture(1))
        await view.fragments(3)
        source.statistics.packets_lost, source.statistics.units_dropped = 3, 7
        answer = await prometheus.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    values = {
        (sample.name, *sample.labels.values()): sample.value for one in families.values() for sample in one.samples
    }
    assert values["fanal_viewers",] == 1
    assert values["fanal_pictures_total", "camera Gate (main)"] == 2
    assert values["fanal_packets_lost_total", "camera Gate (main)"] == 3
    assert values["fanal_pictures_dropped_total", "camera Gate (main)"] == 7
    assert values["fanal_sent_bytes_total",] > 1000
    assert values["fanal_cameras", "ok"] == 1
    assert values["fanal_level",] == 1
    for path in ("/api/v1/status", "/api/v1/cameras", "/api/v1/admin/users", "/api/v1/session", "/api/v1/events"):
        assert (await prometheus.get(path)).code == "not_signed_in"
    for wrong in (token[:-1], token + "x", "", "é"):
        answer = await house.stranger().get("/metrics", Authorization=f"Bearer {wrong}".encode().decode("latin-1"))
        assert (answer.status, answer.code) == (401, "not_signed_in")
    assert (await house.stranger().get("/metrics", Cookie=f"fanal_session={token}")).status == 401
    assert (await house.stranger().get(f"/metrics?ticket={token}")).status == 401
    assert (await anna.get("/metrics")).code == "no_right"
    assert (await (await house.visitor(await house.user("c", Role.ADMINISTRATOR))).get("/metrics")).status == 200


async def test_the_metrics_token_stays_over_a_restart(house: House, tmp_path_factory) -> None:
    folder = house.folder / "second"
    async with open_house(folder=folder) as one:
        token = one.services.metrics_token
    async with open_house(folder=folder) as other:
        assert other.services.metrics_token == token
        assert (await other.stranger(token=token.reveal()).get("/metrics")).status == 200


async def test_health_is_a_word_for_everybody_and_nothing_more(house: House) -> None:
    for tls in (True, False):
        answer = await house.stranger(tls=tls).get("/healthz")
        assert (answer.status, answer.body) == (200, b"ok\n")
        assert answer.headers["cache-control"] == "no-store"
        head = await house.stranger(tls=tls).ask("HEAD", "/healthz")
        assert (head.status, head.body) == (200, b"")
