#!/usr/bin/env bash
# Everything that reads the code without running it.  Each of these remembers the files that it found nothing in.
# usage: lint.sh [async]: only what takes long the first time
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin

# flake8-async reads slowly, and has no memory of its own: what is not asynchronous is nothing to it, nor what has not
# changed since it read all others.
check_async() {
    seen=.cache/stamps/async
    mkdir -p "${seen%/*}"
    for source in build/lint.sh build/requirements/dev.txt; do [ "$source" -ot "$seen" ] || rm -f "$seen"; done
    newer=(); [ ! -e "$seen" ] || newer=(-newer "$seen")
    touch "$seen.new"
    asynchronous=$(grep -rlE '\b(async|await|trio|asyncio|anyio)\b' appliance --include='*.py' --exclude-dir=node_modules)
    # shellcheck disable=SC2086  # the words of the list are the files
    find $asynchronous "${newer[@]}" -print0 |
        xargs -0 -r $bin/flake8-async --startable-in-context-manager=run,_serve,_wait_for_signals,_collect
    mv "$seen.new" "$seen"
}

# TypeScript keeps what it knows of types, but reads a thousand files before it says so: nothing has changed where they
# are those of the last time, and none is newer.
check_client() {
    seen=.cache/stamps/client client=appliance/web/client
    mkdir -p "${seen%/*}"
    files=$(find "$client" -name node_modules -prune -o -type f -name '*.[tj]s*' -print | sort)
    files="$files build/lint.sh build/webclient.py $client/node_modules/.package-lock.json"
    # shellcheck disable=SC2086  # the words of the list are the files
    if [ -e "$seen" ] && [ "$files" = "$(cat "$seen")" ] && [ -z "$(find $files -newer "$seen" -print -quit)" ]; then
        return
    fi
    echo "$files" >"$seen.new"
    $bin/python build/webclient.py --check
    mv "$seen.new" "$seen"
}

if [ "${1:-}" = async ]; then check_async; exit; fi
echo "== ruff";         $bin/ruff check .; $bin/ruff format --check .
echo "== flake8-async"; check_async
echo "== mypy";         $bin/mypy
echo "== web client";   check_client
