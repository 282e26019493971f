#!/usr/bin/python3
"""Camera simulator: GStreamer's RTSP server (a third party's RTSP, RTP, RTCP, digest
and ONVIF back-channel code) fed with real encoded footage in a loop, plus faults.

  camsim.py --port 8554                      serve; prints its URLs, then 'ready'
  camsim.py ctl CTLPORT COMMAND [ARGS]       order a running one about (below)

Streams of each camera camN (N = 1..--cams; the same footage, started at other points):
  rtsp://HOST:PORT/camN          main  H.264 1280x720   + AAC-LC 16 kHz
  rtsp://HOST:PORT/camN/sub      sub   H.264  640x360   + PCMU 8 kHz
  rtsp://HOST:PORT/camN/h265     main  H.265 1280x720   + PCMA 8 kHz
  rtsp://HOST:PORT/camN/h265sub  sub   H.265  640x360, no audio
  rtsp://HOST:PORT/camN/mjpeg    RTP/JPEG 640x360, no audio
  rtsp://HOST:PORT/camN/mpeg4    MPEG-4 part 2 640x360, no audio
  rtsp://HOST:PORT/camN/talk     sub + ONVIF audio back channel (PCMU); what the client
                                 says lands in DIR/camN-talk.ulaw (raw 8 kHz mu-law)
  http://HOST:HTTP/camN/mjpeg    multipart/x-mixed-replace   (with --http)
  http://HOST:HTTP/camN/snapshot.jpg

Faults (ctl; CAM may be 'all'):
  stall CAM SECONDS   frames stop, the RTSP session stays up
  loss CAM PERCENT    what the payloader sends is lost at random: packets, or all packets of a picture (0 ends it)
  corrupt CAM SECONDS bytes inside coded frames are damaged
  nokey CAM SECONDS   key frames are left out
  hang SECONDS        no RTSP request is answered (connections are accepted; media already
                      flowing goes on). For a camera frozen whole: kill -STOP / -CONT its pid
  drop                every RTSP connection is cut
  die                 the server dies at once; with --respawn S it is back S seconds later
  clients             how many RTSP connections there are
  quit                orderly end
Faults also by schedule: --fault 'T COMMAND', at T seconds after start, repeatable.

It ends when the thread that started it does.  Packages: install.sh beside it.  Run it with /usr/bin/python3: other
Pythons have no 'gi'.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import gi
from footage import SOUND_STEP, VIDEO, Recipe, is_key, units

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402  (only after their versions are chosen)

CLIP = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
PR_SET_PDEATHSIG = 1
AHEAD_S = 3  # what a track is given before its time: more than any queue holds
PAYLOADERS = {
    "h264": "rtph264pay config-interval=-1",
    "hevc": "rtph265pay config-interval=-1",
    "mjpeg": "rtpjpegpay",
    "m4v": "rtpmp4vpay",
    "aac": "rtpmp4gpay",
    "pcmu": "rtppcmupay",
    "pcma": "rtppcmapay",
}
PARSERS = {
    "h264": "! h264parse",
    "hevc": "! h265parse",
    "mjpeg": "! jpegparse",
    "m4v": "! mpeg4videoparse",
    "aac": "! aacparse",
}
SOUND_CAPS = {
    "aac": "audio/mpeg,mpegversion=4,stream-format=adts,rate=16000,channels=1",
    "pcmu": "audio/x-mulaw,rate=8000,channels=1",
    "pcma": "audio/x-alaw,rate=8000,channels=1",
}
MOUNTS = {
    "": ("main", "aac"),
    "/sub": ("sub", "pcmu"),
    "/h265": ("h265", "pcma"),
    "/h265sub": ("h265sub", None),
    "/mjpeg": ("mjpeg", None),
    "/mpeg4": ("mpeg4", None),
    "/talk": ("sub", "pcmu"),
}


def arguments_parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8554)
    add("--cams", type=int, default=1)
    add("--clip", default=CLIP, help="any video file ffmpeg reads")
    add("--seconds", type=int, default=24, help="length of the loop, a multiple of 8 (default 24)")
    add("--fps", type=int, default=10)
    add("--gop", type=int, default=20, help="frames per key frame")
    add("--dir", help="where coded footage is kept and reused (default: a folder in the temp dir)")
    add("--user")
    add("--password", default="")
    add("--auth", choices=["digest", "basic"], default="digest")
    add("--tls", metavar="PEM", help="serve rtsps:// with this certificate+key (needs glib-networking)")
    add("--transport", choices=["any", "tcp", "udp", "multicast"], default="any")
    add("--http", type=int, metavar="PORT", help="MJPEG over HTTP as well")
    add("--ctl", type=int, metavar="PORT", help="control port on 127.0.0.1")
    add("--fault", action="append", default=[], metavar="'T COMMAND'")
    add("--respawn", type=float, metavar="S", help="come back S seconds after a death")
    add("--prepare-only", action="store_true", help="code the footage, then leave")
    add("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


class Faults:
    """What is wrong with one camera; times are on the monotonic clock."""

    def __init__(self):
        self.stall = self.corrupt = self.nokey = 0.0
        self.loss = 0.0  # percent


class Feed:
    """Pushes one track of one media into its pipeline, for ever."""

    def __init__(self, source, faults, kind, footage, step, begin, alive):
        self.faults, self.kind, self.footage, self.step = faults, kind, footage, step
        self.number, self.first = 0, round(begin / step)
        self.alive = alive  # whether the media is still wanted
        source.connect("need-data", self.need)

    def need(self, source, _):
        if self.faults.stall > time.monotonic():  # silence; then on from the present
            GLib.timeout_add(100, self.after_stall, source)
            return
        if self.is_ahead(source):  # nothing after it waits for its time: nobody set this track up
            GLib.timeout_add(200, self.in_time, source)
            return
        unit = self.next_unit()
        while self.kind in ("h264", "hevc") and self.faults.nokey > time.monotonic() and is_key(self.kind, unit):
            unit = self.next_unit()
        if self.kind in VIDEO_KINDS and self.faults.corrupt > time.monotonic() and len(unit) > 400:
            damaged = bytearray(unit)
            for _ in range(20):
                damaged[random.randrange(200, len(damaged))] ^= 0x55
            unit = bytes(damaged)
        buffer = Gst.Buffer.new_wrapped(unit)
        buffer.pts = buffer.dts = int((self.number - 1) * self.step * Gst.SECOND)
        buffer.duration = int(self.step * Gst.SECOND)
        source.emit("push-buffer", buffer)

    def next_unit(self):
        unit = self.footage[(self.first + self.number) % len(self.footage)]
        self.number += 1
        return unit

    def is_ahead(self, source):
        now = source.get_current_running_time()
        return self.number * self.step > AHEAD_S + (0 if now == Gst.CLOCK_TIME_NONE else now / Gst.SECOND)

    def in_time(self, source):
        if self.is_ahead(source) and self.alive():
            return True
        self.need(source, 0)
        return False

    def after_stall(self, source):
        if self.faults.stall > time.monotonic() and self.alive():
            return True
        now = source.get_current_running_time()
        if now != Gst.CLOCK_TIME_NONE:
            self.number = max(self.number, int(now / 1e9 / self.step))
        self.need(source, 0)
        return False


VIDEO_KINDS = {kind for _, _, kind in VIDEO.values()}


class Simulator:
    """The cameras of one server."""

    def __init__(self, options):
        self.options = options
        self.footage = units(recipe(options))
        self.faults = {f"cam{number + 1}": Faults() for number in range(options.cams)}
        self.alive = []
        self.loop = GLib.MainLoop()
        self.server = GstRtspServer.RTSPOnvifServer.new()
        self.server.set_address(options.host)
        self.server.set_service(str(options.port))
        if options.user or options.tls:
            self.server.set_auth(self.authentication())
        points = self.server.get_mount_points()
        for number, camera in enumerate(self.faults):
            for path in MOUNTS:
                points.add_factory(f"/{camera}{path}", self.factory(number, camera, path))

    def authentication(self):
        options = self.options
        auth = GstRtspServer.RTSPAuth()
        if options.tls:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(options.tls))
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        if not options.user:
            auth.set_default_token(token)
        elif options.auth == "digest":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(options.user, options.password, token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
        return auth

    def factory(self, number, camera, path):
        video, sound = MOUNTS[path]
        talk = path == "/talk"
        made = GstRtspServer.RTSPOnvifMediaFactory() if talk else GstRtspServer.RTSPMediaFactory()
        made.set_launch(f"( {self.pipeline(video, sound)} )")
        if talk:
            said = Path(self.options.dir) / f"{camera}-talk.ulaw"
            made.set_media_gtype(GstRtspServer.RTSPOnvifMedia.__gtype__)
            made.set_backchannel_launch(
                '( capsfilter name=depay_backchannel caps="application/x-rtp,media=audio,payload=0,clock-rate=8000,'
                f'encoding-name=PCMU" ! rtppcmudepay ! filesink async=false sync=false location="{said}" )'
            )
        made.set_shared(not talk)
        made.set_latency(100)
        kinds = GstRtsp.RTSPLowerTrans
        chosen = {"tcp": kinds.TCP, "udp": kinds.UDP, "multicast": kinds.UDP_MCAST}
        made.set_protocols(chosen.get(self.options.transport, kinds.TCP | kinds.UDP))
        if self.options.transport == "multicast":
            pool = GstRtspServer.RTSPAddressPool()
            pool.add_range("239.77.0.1", "239.77.0.40", 20000, 20400, 4)
            made.set_address_pool(pool)
        if self.options.user or self.options.tls:
            permissions = GstRtspServer.RTSPPermissions()
            for what in ("media.factory.access", "media.factory.construct"):
                permissions.add_permission_for_role("user", what, True)
            made.set_permissions(permissions)
        made.connect("media-configure", self.configure, number, camera, video, sound)
        return made

    def pipeline(self, video, sound):
        kind = VIDEO[video][2]
        caps = {
            "h264": f"video/x-h264,stream-format=byte-stream,alignment=au,framerate={self.options.fps}/1",
            "hevc": f"video/x-h265,stream-format=byte-stream,alignment=au,framerate={self.options.fps}/1",
            "m4v": f"video/mpeg,mpegversion=4,systemstream=false,framerate={self.options.fps}/1",
            "mjpeg": f"image/jpeg,width=640,height=360,framerate={self.options.fps}/1",
        }[kind]
        text = chain("v", caps, kind, 2, "pay0", 96)
        if sound:
            text += chain("a", SOUND_CAPS[sound], sound, 10, "pay1", {"pcmu": 0, "pcma": 8}.get(sound, 97))
        return text

    def configure(self, _, media, number, camera, video, sound):
        """A media begins: feed it."""
        element, faults = media.get_element(), self.faults[camera]
        self.alive.append(media)
        begin = number * 3

        def alive():
            return media in self.alive

        kind, step = VIDEO[video][2], 1 / self.options.fps
        Feed(element.get_by_name("v"), faults, kind, self.footage[video], step, begin, alive)
        if sound:
            source = element.get_by_name("a")
            Feed(source, faults, sound, self.footage[sound], SOUND_STEP[sound], begin, alive)
        for name in ("pay0", "pay1"):
            payloader = element.get_by_name(name)
            if payloader:
                mask = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
                payloader.get_static_pad("src").add_probe(mask, self.lose, faults)
        media.connect("unprepared", lambda gone: self.alive.remove(gone) if gone in self.alive else None)

    @staticmethod
    def lose(_, __, faults):
        lost = random.random() * 100 < faults.loss
        return Gst.PadProbeReturn.DROP if lost else Gst.PadProbeReturn.OK

    # ---- orders

    def clients(self):
        found = []

        def take(_, client):
            found.append(client)
            return GstRtspServer.RTSPFilterResult.KEEP

        self.server.client_filter(take)
        return found

    def order(self, words):
        command, *rest = words
        if command == "die":
            os._exit(9)
        if command == "clients":
            return str(len(self.clients()))
        if command in ("stall", "loss", "corrupt", "nokey"):
            for camera in list(self.faults) if rest[0] == "all" else [rest[0]]:
                value = float(rest[1]) if command == "loss" else time.monotonic() + float(rest[1])
                setattr(self.faults[camera], command, value)
            return "ok"
        later = {
            "quit": self.loop.quit,
            "hang": lambda: time.sleep(float(rest[0])),
            "drop": lambda: [client.close() for client in self.clients()],
        }.get(command)
        if later is None:
            return f"no such command: {command}"
        GLib.idle_add(lambda: bool(later()) and False)
        return "ok"

    def take_orders(self, listener):
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                try:
                    answer = self.order(connection.makefile().readline().split())
                except (ValueError, LookupError) as error:
                    answer = f"error: {error!r}"
                connection.sendall(f"{answer}\n".encode())

    def run(self):
        options = self.options
        if not self.server.attach(None):
            print(f"camsim: cannot listen on {options.host}:{options.port} (in use?)", file=sys.stderr)
            sys.exit(2)
        if options.ctl:
            listener = socket.create_server(("127.0.0.1", options.ctl), reuse_port=False)
            threading.Thread(target=self.take_orders, args=(listener,), daemon=True).start()
        for fault in options.fault:
            seconds, *words = fault.split()
            threading.Timer(float(seconds), self.order, [words]).start()
        if options.http:
            server = ThreadingHTTPServer((options.host, options.http), http_cameras(self))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
        for camera in self.faults:
            for path in MOUNTS:
                print(f"{'rtsps' if options.tls else 'rtsp'}://{options.host}:{options.port}/{camera}{path}")
            if options.http:
                print(f"http://{options.host}:{options.http}/{camera}/mjpeg")
        print("ready", flush=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, self.loop.quit)
        GLib.timeout_add_seconds(2, lambda: self.server.get_session_pool().cleanup() >= 0)
        self.loop.run()


def chain(name, caps, kind, buffers, payloader, payload_type):
    # A track that nobody sets up leads nowhere; without errorignore that would end the whole media.
    return (
        f'  appsrc name={name} format=time is-live=false max-buffers={buffers} max-bytes=0 caps="{caps}" '
        f"{PARSERS.get(kind, '')} ! queue max-size-buffers={buffers} max-size-bytes=0 ! "
        f"errorignore ignore-notlinked=true convert-to=ok ! {PAYLOADERS[kind]} name={payloader} pt={payload_type}"
    )


def http_cameras(simulator):
    """The handler for MJPEG over HTTP."""
    options, pictures, began = simulator.options, simulator.footage["mjpeg"], time.monotonic()
    wanted = "Basic " + b64encode(f"{options.user}:{options.password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *_):
            pass

        def picture(self):
            return pictures[int((time.monotonic() - began) * options.fps) % len(pictures)]

        def do_GET(self):
            if options.user and self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camsim"')
                self.end_headers()
                return
            camera, _, what = self.path.split("?")[0].strip("/").partition("/")
            if camera not in simulator.faults or what not in ("mjpeg", "snapshot.jpg"):
                self.send_error(404)
                return
            self.send_response(200)
            if what == "snapshot.jpg":
                data = self.picture()
                self.send_header("Content-Type", "image/jpeg")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=camsim")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.stream(simulator.faults[camera])

        def stream(self, faults):
            while True:
                if faults.stall < time.monotonic():
                    data = self.picture()
                    head = f"--camsim\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    self.wfile.write(head.encode() + data + b"\r\n")
                time.sleep(1 / options.fps)

    return Handler


def recipe(options):
    return Recipe(Path(options.dir), Path(options.clip), options.seconds, options.fps, options.gop)


def send_order(port, words):
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall((" ".join(words) + "\n").encode())
        answer = connection.makefile().readline().strip()
    print(answer or "gone")
    return answer.startswith(("error", "no such"))


def respawn(options):
    """Start the server as a child, again and again."""
    done = threading.Event()
    children = []

    def end(*_):
        done.set()
        for child in children:
            child.terminate()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    arguments = sys.argv[1:]
    while not done.is_set():
        children[:] = [subprocess.Popen([sys.executable, __file__, *arguments, "--child"])]
        code = children[0].wait()
        if done.is_set() or code in (0, 2):
            sys.exit(code)
        print(f"camsim: died ({code}); back in {options.respawn} s", flush=True)
        arguments = without_faults(arguments)  # a schedule runs once
        done.wait(options.respawn)


def without_faults(arguments):
    kept, skip = [], False
    for argument in arguments:
        if not skip and argument != "--fault" and not argument.startswith("--fault="):
            kept.append(argument)
        skip = argument == "--fault" and not skip
    return kept


def main():
    if sys.argv[1:2] == ["ctl"]:
        sys.exit(send_order(int(sys.argv[2]), sys.argv[3:]))
    options = arguments_parser().parse_args()
    if options.seconds % 8:
        sys.exit("camsim: --seconds must be a multiple of 8 (AAC frames and pictures then both end the loop on time)")
    options.dir = options.dir or str(Path(tempfile.gettempdir()) / f"camsim-{os.getuid()}")
    if options.prepare_only:
        units(recipe(options))
        print(options.dir)
    elif options.child or options.respawn is None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        Gst.init(None)
        Simulator(options).run()
    else:
        respawn(options)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
