"""For all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# A single example has no deadline: on a busy machine it takes what it takes.  pytest's time-out bounds the whole test.
settings.register_profile("fanal", deadline=None)
settings.load_profile("fanal")

# Whoever started us in the background may have had Ctrl-C ignored, and what we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
