"""Where the captures of real devices are: data of others, read from beside the checkout and never copied into it."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("FANAL_CAPTURES", ROOT.parent / "shared" / "captures")) / "rtsp"
