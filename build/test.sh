#!/usr/bin/env bash
# All tests: the checks that only read beside the web client's own tests, then pytest, whose summary comes last.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .cache
build/lint.sh >.cache/lint.log 2>&1 & lint=$!
code=0
echo "== web client's tests"
.venv/bin/python build/webclient.py --test || code=$?
wait "$lint" || code=$?
cat .cache/lint.log
[ "$code" = 0 ] || exit "$code"
echo "== pytest"
# One worker more than there are cores, since many tests wait; tests/conftest.py says what runs beside what.
workers=$(($(nproc) + 1))
[ "$workers" -le 5 ] || workers=5
.venv/bin/python -m pytest -q -n "$workers" --dist loadfile --no-loadscope-reorder "$@" || code=$?
[ "$code" = 1 ] || exit "$code"
# What failed beside others is tried once more by itself: there a time was disturbed, here it is a defect.
echo "== those that failed, by themselves"
exec .venv/bin/python -m pytest -q --last-failed --last-failed-no-failures none "$@"
