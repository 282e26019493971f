#!/usr/bin/env bash
# Everything that reads the code without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
echo "== ruff";         $bin/ruff check .; $bin/ruff format --check .
echo "== flake8-async"; find appliance -name "*.py" -not -path "*/node_modules/*" -print0 | xargs -0 $bin/flake8-async --startable-in-context-manager=run,_serve,_wait_for_signals,_collect
echo "== mypy";         $bin/mypy
echo "== web client";   $bin/python build/webclient.py --check
