"""Compile the message catalogues of the pages that the server writes: ``server.po`` → ``server.mo``."""

from __future__ import annotations

from pathlib import Path

LOCALE = Path(__file__).resolve().parent.parent / "appliance" / "web" / "locale"


def build() -> None:
    """Compile what changed."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415  (a build requirement, absent from what runs)
    from babel.messages.pofile import read_po  # noqa: PLC0415

    for source in sorted(LOCALE.glob("*/server.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parent.name)
        with target.open("wb") as file:
            write_mo(file, catalogue)


if __name__ == "__main__":
    build()
