#!/usr/bin/env bash
# All tests: the checks that only read, the web client's own, then pytest, whose summary comes last.
set -euo pipefail
cd "$(dirname "$0")/.."
build/lint.sh
echo "== web client's tests"
.venv/bin/python build/webclient.py --test
echo "== pytest"
exec .venv/bin/python -m pytest -q "$@"
