#!/usr/bin/env bash
# All tests: the web client's own, then pytest beside the checks that only read, then what needs the machine alone.
# pytest's summary comes last.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .cache
code=0 linted=0
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT  # whatever ends this ends what runs beside it
# The one-file program takes a minute or two, and one processor, until some of the tests need it.
make --no-print-directory dist/fanal >.cache/binary.log 2>&1 & binary=$!
# Hundreds of programs are started below: each of them would compile all sources anew where nobody keeps the result.
unset PYTHONDONTWRITEBYTECODE
.venv/bin/python -m compileall -q -j 0 appliance tests
# So does pytest with the tests, in each of its workers; looked through once, they are kept as well.
.venv/bin/python -m pytest -q --collect-only "$@" >.cache/collected.log 2>&1 & collected=$!
echo "== web client's tests"
.venv/bin/python build/webclient.py --test
wait "$collected" || { tail -n 40 .cache/collected.log; exit 1; }
wait "$binary" || { tail -n 40 .cache/binary.log; exit 1; }
nice build/lint.sh >.cache/lint.log 2>&1 & lint=$!
echo "== pytest"
# Two workers more than there are cores, since many tests wait; tests/conftest.py says what runs beside what.
workers=$(($(nproc) + 2))
[ "$workers" -le 6 ] || workers=6
pytest() { .venv/bin/python -m pytest -q "$@" || { code=$?; [ "$code" = 5 ] && code=0; return 0; }; }  # 5: none of these
pytest -n "$workers" --dist loadfile --no-loadscope-reorder -m "not alone" "$@"
wait "$lint" || linted=$?
cat .cache/lint.log
if [ "$code" = 1 ]; then
    # What failed beside others is tried once more by itself: there a time was disturbed, here it is a defect.
    echo "== those that failed, by themselves"
    code=0
    pytest --last-failed --last-failed-no-failures none "$@"
fi
[ "$linted" = 0 ] || code=$linted
[ "$code" = 0 ] || exit "$code"
echo "== those that hold the machine to times, alone"
pytest -m alone "$@"
exit "$code"
