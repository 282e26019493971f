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
pytest() { .venv/bin/python -m pytest -q "$@" || { code=$?; [ "$code" = 5 ] && code=0; return 0; }; }  # 5: none of these
pytest -n "$workers" --dist loadfile --no-loadscope-reorder -m "not alone" "$@"
if [ "$code" = 1 ]; then
    # What failed beside others is tried once more by itself: there a time was disturbed, here it is a defect.
    echo "== those that failed, by themselves"
    code=0
    pytest --last-failed --last-failed-no-failures none "$@"
fi
[ "$code" = 0 ] || exit "$code"
echo "== those that hold the machine to times, alone"
pytest -m alone "$@"
exit "$code"
