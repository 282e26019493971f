#!/usr/bin/env bash
# All tests: the checks that only read, the web client's own, then pytest, whose summary comes last.
set -euo pipefail
cd "$(dirname "$0")/.."
build/lint.sh
echo "== web client's tests"
.venv/bin/python build/webclient.py --test
echo "== pytest"
# A worker a core, two to four; tests/conftest.py says what runs beside what.
workers=$(nproc)
exec .venv/bin/python -m pytest -q -n "$((workers > 4 ? 4 : workers < 2 ? 2 : workers))" --dist loadfile --no-loadscope-reorder "$@"
