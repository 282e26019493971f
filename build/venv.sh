#!/usr/bin/env bash
# Make the virtual environment.  usage: venv.sh FOLDER
set -euo pipefail
folder=$1

new_enough() { [ "$("$1" -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null)" = True ]; }
has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
has_headers() {
  "$1" -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}
can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# The distribution's before all others: it gets its security updates, and is optimised by profile, which those compiled
# on the spot mostly are not: what is Python alone, in the product as well as in its tests, takes a quarter less time.
# One that lacks a part is taken where that can be installed, or where there is no other.
python=${PYTHON:-}
if [ -n "$python" ] && ! new_enough "$python"; then
  echo "$python (PYTHON) is not there, or is no Python 3.11 or newer. Name another, or none." >&2
  exit 1
fi
for candidate in ${PYTHON:-/usr/bin/python3 python3.13 python3.12 python3.11 python3}; do
  new_enough "$candidate" || continue
  python=${python:-$candidate}
  if can_install || { has_venv "$candidate" && has_headers "$candidate"; }; then
    python=$candidate; break
  fi
done
if [ -z "$python" ]; then
  echo "Fanal needs Python 3.11 or newer; none was found. Install it, or name it: make PYTHON=/path/to/python3 …" >&2
  exit 1
fi

missing=()
has_venv "$python" || missing+=(python3-venv)
has_headers "$python" || missing+=(python3-dev)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
if [ ${#missing[@]} -gt 0 ]; then
  if can_install; then
    echo "installing ${missing[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "Fanal is built here and needs: ${missing[*]} (Debian's names). Install them and try again." >&2
    exit 1
  fi
fi

[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install -q --disable-pip-version-check --upgrade pip
