"""The addresses for players, by players that nobody here wrote: hls.js and an image in Chromium, mpv, ffmpeg, curl.

All watch the demo camera, whose second in the picture is that of UTC: how far behind they are is read from the pixels.
"""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import PASSWORD, ROOT
from tests.e2e.pictures import decode, grab, nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.e2e.house import House
    from tests.e2e.pictures import Image
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = True
DEMO_FPS, DEMO_S = 25, 20
#: How far behind they may be.
HLS_WITHIN_S, MJPEG_WITHIN_S = 3.0, 1.5
#: The picture is the clip's: coded once more as JPEG, and converted by another program.
ALIKE = 8.0
HLS_JS = ROOT / "appliance" / "web" / "client" / "node_modules" / "hls.js" / "dist" / "hls.min.js"
PLACE = """(inside) => {
  const place = document.createElement("div");
  place.id = "players"; place.innerHTML = `<div class="player">${inside}</div>`;
  document.body.append(place);
}"""
PLAY = """(address) => {
  const video = document.querySelector("#players video");
  const hls = window.hls = new Hls({ maxLiveSyncPlaybackRate: 1.5, enableWorker: false });
  window.fatal = [];
  hls.on(Hls.Events.ERROR, (_, told) => told.fatal && window.fatal.push(`${told.type} ${told.details}`));
  hls.loadSource(address);
  hls.attachMedia(video);
  return video.play().catch(() => {});
}"""
PATHS = ("live.mp4", "hls/index.m3u8", "live.mjpeg")
VIDEO = "document.querySelector('#players video')"
#: An image that never ends is painted where `grab` looks.
PAINT = """() => {
  const shown = document.querySelector("#players img"), canvas = document.querySelector("#players canvas");
  canvas.width = shown.naturalWidth; canvas.height = shown.naturalHeight;
  if (shown.naturalWidth) canvas.getContext("2d").drawImage(shown, 0, 0);
  return shown.naturalWidth;
}"""


class Curl:
    """Requests as scripts make them, by curl, with the authority of the appliance."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.identity: list[str] = []
        signed_in = self.ask("/session", data={"username": "admin", "password": PASSWORD})
        self.identity = ["-H", f"Authorization: Bearer {json.loads(signed_in)['token']}"]
        self.cameras = {each["name"]: each["id"] for each in json.loads(self.ask("/cameras"))["cameras"]}
        self.camera = self.cameras["Demo"]

    def ask(self, path: str, *options: str, data: dict[str, str] | None = None) -> bytes:
        words = ["curl", "-sS", "--fail-with-body", "--cacert", str(self.house.authority), *self.identity, *options]
        if data is not None:
            words += ["-H", "Content-Type: application/json", "-d", json.dumps(data)]
        done = subprocess.run([*words, f"{self.house.url}/api/v1{path}"], capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def ticket(self, path: str) -> str:
        """The address of what is at ``path`` for a player that sends no headers."""
        told = json.loads(self.ask(f"/cameras/{self.camera}/ticket", data={"path": path}))
        return f"{self.house.url}/api/v1/cameras/{self.camera}/{path}?ticket={told['ticket']}"


@pytest.fixture(scope="module")
def curl(house: House, cameras: Cameras) -> Curl:
    house.add_camera("Yard", cameras.url())  # which has sound
    return Curl(house)


@pytest.fixture(scope="module")
def clip(house: House) -> dict[str, Any]:
    """The pictures of the demo camera's smaller stream, in the two ways to read colours that nobody said."""
    path = house.folder / "demo" / "demo-3-sub.mp4"
    return {matrix: decode(path, matrix=matrix) for matrix in ("bt601", "bt709")}


@pytest.fixture
def page(visit: Callable[..., Visit]) -> Visit:
    page = visit()
    page.come_as("admin")
    return page


def behind(image: Image, at_ms: float, clip: dict[str, Any]) -> float:
    """How many seconds ago the camera took this."""
    number, far = min((nearest(image, pictures) for pictures in clip.values()), key=lambda found: found[1])
    assert far < ALIKE
    return (at_ms / 1000 - number / DEMO_FPS) % DEMO_S


def behind_in(page: Visit, where: Locator, clip: dict[str, Any]) -> float:
    shown = page.until("a picture", lambda: grab(where))
    return behind(shown.image, shown.at, clip)


def play(page: Visit, address: str, seconds: float) -> None:
    """Begin to play it with hls.js; so much of it is played then."""
    page.page.evaluate(PLACE, "<video muted playsinline></video>")
    page.page.evaluate(HLS_JS.read_text(encoding="utf-8"))
    page.page.evaluate(PLAY, address)
    time = f"{VIDEO}.currentTime"
    page.until("it plays", lambda: page.page.evaluate(time) > 0)
    begin = page.page.evaluate(time)
    page.until("it goes on", lambda: page.page.evaluate(time) > begin + seconds)
    assert page.page.evaluate("window.fatal") == []


def test_hls_js_plays_and_is_at_most_three_seconds_behind(page: Visit, curl: Curl, clip: dict[str, Any]) -> None:
    play(page, f"/api/v1/cameras/{curl.camera}/hls/index.m3u8?stream=sub", 3)
    where = page.page.locator("#players")
    page.until("it is near enough", lambda: behind_in(page, where, clip) <= HLS_WITHIN_S)
    page.until("it says so too", lambda: page.page.evaluate("hls.latency") <= HLS_WITHIN_S)
    assert 0 < page.page.evaluate("hls.latestLevelDetails.partTarget") < 0.5  # low latency it was
    assert page.page.evaluate("window.fatal") == []
    page.page.evaluate("hls.destroy()")


def test_hls_has_the_sound_of_the_camera_and_goes_on_when_that_has_paused(
    page: Visit, curl: Curl, cameras: Cameras
) -> None:
    play(page, f"/api/v1/cameras/{curl.cameras['Yard']}/hls/index.m3u8", 1)
    assert page.page.evaluate(f"{VIDEO}.webkitAudioDecodedByteCount") > 0
    assert page.page.evaluate(f"{VIDEO}.videoWidth") == 1280
    cameras.order("stall", "cam1", "2")
    page.until("it is told", lambda: page.page.evaluate("hls.latestLevelDetails.endCC") > 0)
    begin = page.page.evaluate(f"{VIDEO}.currentTime")
    page.until("it goes on", lambda: page.page.evaluate(f"{VIDEO}.currentTime") > begin + 1.5)
    assert page.page.evaluate("window.fatal") == []
    page.page.evaluate("hls.destroy()")


def test_an_image_shows_mjpeg_of_now(page: Visit, curl: Curl, clip: dict[str, Any]) -> None:
    address = f"/api/v1/cameras/{curl.camera}/live.mjpeg?width=320"
    page.page.evaluate(PLACE, f'<img src="{address}"><canvas class="pictures"></canvas>')
    where, numbers = page.page.locator("#players"), set[float]()

    def is_now() -> bool:
        if page.page.evaluate(PAINT) != 320:
            return False
        shown = grab(where)
        assert shown is not None
        numbers.add(nearest(shown.image, clip["bt601"])[0])
        return behind(shown.image, shown.at, clip) <= MJPEG_WITHIN_S

    for _ in range(3):
        page.until("the picture is of now", is_now)
        page.page.wait_for_timeout(300)
    assert len(numbers) >= 3


def complaints_of_mpv(log: Path) -> list[str]:
    """What it had to complain of while it played.  Then it ends its connections in the middle of what comes.

    Its TLS calls that an error of the packet: the last lines of its log, after *Terminating demuxers*.
    """
    played, ended, _ = log.read_text(encoding="utf-8").partition("[cplayer] Terminating demuxers...")
    assert ended
    return re.findall(r"^\[ *[\d.]+\]\[[ef]\].*", played, re.MULTILINE)


def test_mpv_and_ffmpeg_play_with_tickets_and_without_a_complaint(curl: Curl, house: House, tmp_path: Path) -> None:
    trust = str(house.authority)
    mpv = ["mpv", "--no-config", "--vo=null", "--ao=null", "--frames=40", "--msg-level=all=error", "--tls-verify=yes"]
    ffmpeg = ["ffmpeg", "-v", "error", "-xerror", "-nostdin", "-ca_file", trust, "-tls_verify", "1", "-i"]
    show = ["-read_intervals", "%+1", "-count_packets", "-show_entries", "stream=codec_name,nb_read_packets"]
    ffprobe = ["ffprobe", "-v", "error", *show, "-of", "csv=p=0"]
    logs = {path: tmp_path / f"{number}.log" for number, path in enumerate(PATHS)}
    mpv.append(f"--tls-ca-file={trust}")
    with ExitStack() as started:
        playing = {}
        for path, log in logs.items():
            address = curl.ticket(path)
            commands = [[*mpv, f"--log-file={log}", address], [*ffmpeg, address, "-t", "2", "-f", "null", "-"]]
            for command in commands if path == "live.mp4" else [*commands, [*ffprobe, address]]:
                player = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                started.enter_context(player)
                started.callback(player.kill)
                playing[path, command[0]] = player
        for (path, program), player in playing.items():
            said, _ = player.communicate(timeout=60)
            assert player.returncode == 0, (path, program, said)
            if program == "ffprobe":
                codec, packets = said.split()[0].split(",")[:2]
                assert (codec, int(packets) >= 15) == ("mjpeg" if path == "live.mjpeg" else "h264", True)
            elif program == "mpv":
                assert complaints_of_mpv(logs[path]) == [], path
            else:
                assert said == "", (path, program)


def test_curl_gets_parts_and_pictures(curl: Curl, tmp_path: Path) -> None:
    base = f"/cameras/{curl.camera}/"
    index = curl.ask(f"{base}hls/index.m3u8?stream=sub&audio=0").decode()
    assert re.search(r'CODECS="avc1\.[0-9a-f]{6}",RESOLUTION=640x360', index)
    assert index.splitlines()[-1] == "sub/video/live.m3u8"
    playlist = curl.ask(f"{base}hls/sub/video/live.m3u8").decode()
    hint = re.findall(r'PRELOAD-HINT:TYPE=PART,URI="(part-(\d+)-(\d+)\.m4s)"', playlist)[0]
    part = curl.ask(f"{base}hls/sub/video/{hint[0]}")
    assert part[4:8] == b"moof"
    assert hint[0] in curl.ask(f"{base}hls/sub/video/live.m3u8?_HLS_msn={hint[1]}&_HLS_part={hint[2]}").decode()
    snapshot = curl.ask(f"{base}snapshot.jpg?width=333")
    assert snapshot[:2] == b"\xff\xd8"
