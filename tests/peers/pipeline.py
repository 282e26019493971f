#!/usr/bin/python3
"""Runs a GStreamer pipeline, given as gst-launch wants it, to its end.  For /usr/bin/python3, which has 'gi'."""

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  (only after its version is chosen)

WITHIN_S = 30


def main() -> None:
    Gst.init(None)
    pipeline = Gst.parse_launch(" ".join(sys.argv[1:]))
    pipeline.set_state(Gst.State.PLAYING)
    ends = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(WITHIN_S * Gst.SECOND, ends)
    pipeline.set_state(Gst.State.NULL)
    if message is None:
        sys.exit("pipeline: it does not end")
    if message.type == Gst.MessageType.ERROR:
        sys.exit(f"pipeline: {message.parse_error()}")


if __name__ == "__main__":
    main()
