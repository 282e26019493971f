"""Texts of the pages that the server writes itself, in the reader's language, from gettext catalogues."""

from __future__ import annotations

import gettext
from importlib.resources import files

LANGUAGES = ("en", "fr")
DOMAIN = "server"


def best(accept_language: str) -> str:
    """The language that the header prefers among ours; English otherwise."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language[:500].split(","):
        tag, _, parameters = part.strip().partition(";")
        try:
            quality = float(parameters.partition("q=")[2] or 1)
        except ValueError:
            continue
        wanted.append((quality, tag.strip().lower().partition("-")[0]))
    for quality, tag in sorted(wanted, key=lambda pair: -pair[0]):
        if quality > 0 and tag in LANGUAGES:
            return tag
    return LANGUAGES[0]


def translations(language: str) -> gettext.NullTranslations:
    """The texts in one of `LANGUAGES`."""
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()  # the texts in the source are English
    with (files("appliance.web") / "locale" / language / f"{DOMAIN}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)
