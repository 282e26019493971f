#!/usr/bin/env bash
# All tests: pytest, beside it the web client's own and the checks that only read, then what needs the machine for
# itself.  pytest's summary comes last.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .cache
code=0 beside=0
folder=""
leave() {  # whatever ends this ends what runs beside it
    kill $(jobs -p) 2>/dev/null || true
    [ -z "$folder" ] || rm -rf "$folder" || true  # what is still written to is left to the next run
}
trap leave EXIT
# Hundreds of data folders come and go; where there is much memory they need not be written to a disk.
if [ -z "${TMPDIR:-}" ] && [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -ge 8000000 ] 2>/dev/null &&
    [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -ge 12000000 ]; then
    for dead in /dev/shm/fanal.*; do  # nobody tidies up after one who is killed
        kill -0 "${dead##*.}" 2>/dev/null || rm -rf "$dead"
    done
    folder=/dev/shm/fanal.$$
    mkdir "$folder"
    chmod 1777 "$folder"
    export TMPDIR=$folder PYTEST_ADDOPTS="${PYTEST_ADDOPTS:-} --basetemp=$folder/t"
fi
# The one-file program takes a minute or two, and one processor; those of the tests that need it wait for it.
flock .cache/binary.lock make --no-print-directory dist/fanal >.cache/binary.log 2>&1 &
# Hundreds of programs are started below: each of them would compile all sources anew where nobody keeps the result.
unset PYTHONDONTWRITEBYTECODE
.venv/bin/python -m compileall -q -j 0 appliance tests
# So does pytest with the tests, in each of its workers; looked through once, they are kept as well.
collect() {
    if [ -z "$(find .cache/collected -newer build/requirements/dev.txt 2>/dev/null)" ] ||
        [ -n "$(find tests -name '*.py' -newer .cache/collected -print -quit)" ]; then
        .venv/bin/python -m pytest -q --collect-only >.cache/collected.new 2>&1 || return
        mv .cache/collected.new .cache/collected
    fi
}
collect || { tail -n 40 .cache/collected.new; exit 1; }
nice build/lint.sh >.cache/lint.log 2>&1 & lint=$!
.venv/bin/python build/webclient.py --test >.cache/client.log 2>&1 & client=$!
echo "== pytest"
# One worker more than there are cores, since many tests wait, and one that calculates meanwhile and stands back
# (tests/conftest.py, which says as well what runs beside what).  More would hold one another up.
workers=$(($(nproc) + 2))
[ "$workers" -le 6 ] || workers=6
pytest() { .venv/bin/python -m pytest -q "$@" || { code=$?; [ "$code" = 5 ] && code=0; return 0; }; }  # 5: none of these
pytest -n "$workers" --dist loadfile --no-loadscope-reorder -m "not alone and not calm" "$@"
wait "$lint" || beside=$?
wait "$client" || beside=$?
echo "== web client's tests"; cat .cache/client.log .cache/lint.log
again() {  # What failed beside others is tried once more by itself: there a time was disturbed, here it is a defect.
    [ "$code" = 1 ] || return 0
    echo "== those that failed, by themselves"
    code=0
    pytest --last-failed --last-failed-no-failures none "$@"
}
again "$@"
[ "$beside" = 0 ] || code=$beside
[ "$code" = 0 ] || exit "$code"
echo "== those that hold the machine to times: first those that leave most of it to others, then one by one"
if [ "$#" = 0 ]; then mapfile -t files < <(grep -rlE 'mark\.(alone|calm)' tests --include='test_*.py'); set -- "${files[@]}"; fi
pytest -n 4 --dist load --maxschedchunk=1 -m calm "$@"
again "$@"
[ "$code" = 0 ] || exit "$code"
pytest -m alone "$@"
exit "$code"
