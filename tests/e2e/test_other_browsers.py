"""Firefox plays H.265 as it comes, WebKit plays through its managed Media Source; the sound of both is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.firefox import open_firefox
from tests.e2e.pictures import ALIKE, footage, nearest, nearest_in_any_colours, well_shown
from tests.e2e.speaker import ticks_on
from tests.e2e.visit import DESKTOP
from tests.e2e.webkit import open_webkit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.house import House
    from tests.e2e.remote import RemotePage
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False
#: A browser without a graphics card takes both cores of a small machine, and others may want them too.
HEARD_WITHIN_S = 90.0
#: Without one WebKit paints all of its window for each picture: a large one is too much for two cores.
SMALL = {"width": 960, "height": 600}
#: From here on no decoder is there for what is opened, as when others have them all.
NO_DECODER = """() => {
  for (const name of ["MediaSource", "ManagedMediaSource"]) {
    const prototype = window[name]?.prototype;
    if (prototype) prototype.addSourceBuffer = () => { throw new DOMException("no decoder", "NotSupportedError"); };
  }
}"""


#: Pictures are drawn: a canvas without one is 300x150 (HTML Standard, the canvas element).
DRAWN = "video.nodeName === 'CANVAS' && (video.width !== 300 || video.height !== 150)"


@pytest.fixture(scope="module")
def browser(
    house: House, cameras: Cameras, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RemotePage]:
    """One browser after the other, with its cameras: a page that is open paints what it shows all the time."""
    streams = {"Yard": cameras.url(), "Bell": cameras.url("/sub", 2)}
    if request.param == "firefox":
        streams["Gate"] = cameras.url("/h265", 2)
    for name in streams.keys() - {each["name"] for each in house.cameras()}:
        house.add_camera(name, streams[name])
    home = tmp_path_factory.mktemp(request.param)
    opened = (
        open_firefox(home, house.authority, DESKTOP["width"], DESKTOP["height"])
        if request.param == "firefox"
        else open_webkit(home, SMALL["width"], SMALL["height"])
    )
    with opened as page:
        page.sign_in(house.url, "admin")
        yield page


FIREFOX = pytest.mark.parametrize("browser", ["firefox"], indirect=True, scope="module")
WEBKIT = pytest.mark.parametrize("browser", ["webkit"], indirect=True, scope="module")
BOTH = pytest.mark.parametrize("browser", ["firefox", "webkit"], indirect=True, scope="module")


def plays(page: RemotePage, camera: str, stream: str) -> None:
    """The pixels of the tile are those of the clip, and go on with the time."""
    page.live(camera)
    clip = footage(stream)  # first: decoding takes about as long as the clip, after which its numbers come again
    numbers = set()
    for _ in range(3):
        begin = page.current_time(camera)
        picture = page.grab(camera)
        number, far = nearest(picture.image, clip)
        assert far < ALIKE
        assert picture.width == 1280
        numbers.add(number)
        page.until("currentTime advances", lambda begin=begin: page.current_time(camera) > begin + 0.5)
    assert len(numbers) == 3


@FIREFOX
@pytest.mark.parametrize(("camera", "stream", "codec"), [("Yard", "main", "avc1."), ("Gate", "h265", "hvc1.")])
def test_firefox_plays_what_the_camera_sends(browser: RemotePage, camera: str, stream: str, codec: str) -> None:
    plays(browser, camera, stream)
    assert any(mime.startswith(f'video/mp4; codecs="{codec}') for _, mime in browser.sources())
    line = browser.tile(camera, '(tile) => tile.querySelector(".inf").textContent')
    assert line.startswith("Direct · main · 1280×720 · ")


def test_the_clips_of_the_two_cameras_are_the_same_scene_and_another_one_is_told_from_it() -> None:
    assert nearest(footage("h265")[7], footage("main"))[1] < ALIKE
    assert nearest(footage("h265")[7][:, ::-1], footage("h265"))[1] > 2 * ALIKE


@WEBKIT
def test_webkit_plays_through_the_managed_media_source(browser: RemotePage) -> None:
    assert browser.evaluate("() => typeof ManagedMediaSource") == "function"
    plays(browser, "Yard", "main")
    opened = [kind for kind, mime in browser.sources() if mime.startswith('video/mp4; codecs="avc1.')]
    assert opened
    assert set(opened) == {"ManagedMediaSource"}


#: AAC as it comes, G.711 as the server makes AAC of it.
@BOTH
@pytest.mark.parametrize("camera", ["Yard", "Bell"])
def test_sound_is_heard(browser: RemotePage, camera: str) -> None:
    """Out of the loudspeaker come the ticks that the camera hears, one in a second."""
    page = browser
    page.live(camera)
    before = page.speaker.played()
    page.sound(camera)
    complaints: dict[Path, str | None] = {}

    def heard() -> bool:
        complaints.update({path: ticks_on(path) for path in page.speaker.played() - before})
        return None in complaints.values()

    try:
        page.until("ticks", heard, HEARD_WITHIN_S)
    except AssertionError as error:
        error.add_note(str(complaints))
        raise
    assert page.video(camera, "video.nodeName") == "VIDEO"
    page.sound(camera)


@BOTH
def test_what_is_not_decoded_any_more_comes_as_pictures(browser: RemotePage, house: House) -> None:
    """The last test of a browser: it takes the decoders away, and the other cameras, so that nothing makes the device
    slow."""
    page = browser
    for camera in {each["name"] for each in house.cameras()} - {"Yard"}:
        house.remove_camera(camera)
    page.until("one tile", lambda: page.evaluate("() => document.querySelectorAll('article.tile').length") == 1)
    page.live("Yard")
    nearest_in_any_colours(footage("main")[0], "main")  # before: decoding takes both cores for a while
    page.evaluate(NO_DECODER)
    page.video("Yard", 'video.dispatchEvent(new Event("error"))')
    page.until("pictures", lambda: page.video("Yard", DRAWN))
    numbers: set[int] = set()
    page.until("pictures of the clip", lambda: well_shown(numbers, page.grab("Yard").image, "main"))
    assert page.tile("Yard", '(tile) => tile.querySelector(".pc").title').startswith("Transcoded: ")
