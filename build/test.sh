#!/usr/bin/env bash
# All tests: the checks that only read, the web client's own, then pytest, whose summary comes last.
set -euo pipefail
cd "$(dirname "$0")/.."
build/lint.sh
echo "== web client's tests"
.venv/bin/python build/webclient.py --test
echo "== pytest"
# A worker a core, two to four; tests/conftest.py says what runs beside what.  Before something lands they run one
# after the other, which takes longer and disturbs nobody's times.
workers=$(nproc)
side_by_side=(-n "$((workers > 4 ? 4 : workers < 2 ? 2 : workers))" --dist loadfile --no-loadscope-reorder)
[ "${CI:-}" != true ] || side_by_side=()
exec .venv/bin/python -m pytest -q "${side_by_side[@]}" "$@"
