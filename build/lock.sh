#!/usr/bin/env bash
# Make build/requirements/*.txt anew from pyproject.toml, with hashes and without addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pip install -q pip-tools setuptools Cython
lock() {
  .venv/bin/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
    --strip-extras --allow-unsafe --no-header "$@"
}
lock -o build/requirements/run.txt pyproject.toml
lock --extra dev -o build/requirements/dev.txt pyproject.toml
lock -o build/requirements/build.txt build/requirements/build.in
lock -o build/requirements/binary.txt build/requirements/binary.in
