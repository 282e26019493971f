#!/usr/bin/env bash
# The one-file program: wheel → an environment with nothing but the wheel and what it needs → dist/fanal.
set -euo pipefail
cd "$(dirname "$0")/.."
place=.cache/binary
python=$PWD/$place/venv/bin/python
locks=(build/requirements/run.txt build/requirements/binary.txt)

# The environment is made again only when what is locked changed.
if ! cat "${locks[@]}" | cmp -s - "$place/locks"; then
  rm -rf "$place/venv" "$place/locks"
  .venv/bin/python -m venv "$place/venv"
  install=("$python" -m pip install -q --disable-pip-version-check --require-hashes)
  for lock in "${locks[@]}"; do "${install[@]}" -r "$lock"; done
  # The boot loader in PyInstaller's wheel wants the system's zlib; one that is compiled brings its own.
  PYINSTALLER_COMPILE_BOOTLOADER=1 PYI_STATIC_ZLIB=1 "${install[@]}" --no-cache-dir --no-build-isolation --no-deps \
    --force-reinstall --no-binary pyinstaller -r build/requirements/binary.txt
  cat "${locks[@]}" >"$place/locks"
fi

# A wheel of today's sources: setuptools would keep what has been deleted since.
rm -rf .cache/build/lib* .cache/build/bdist* "$place/wheel" "$place/work"
# The kernels are compiled already, in place: what is newer than its sources is not compiled again.
lib=$(.venv/bin/python -c 'import sys, sysconfig; print(f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}")')
mkdir -p ".cache/build/$lib"
cp -p --parents appliance/_native/*.so ".cache/build/$lib/"
PATH="$PWD/.venv/bin:$PATH" .venv/bin/python -m pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w "$place/wheel" .
"$python" -m pip install -q --disable-pip-version-check --no-index --no-deps --force-reinstall "$place"/wheel/*.whl

# From a folder in which `appliance` is not the checkout; the hash seed is fixed, so that the same sources give the same file.
mkdir -p dist "$place/work"
cd "$place"
PYTHONHASHSEED=1 PYINSTALLER_CONFIG_DIR=$PWD/pyinstaller "$python" -m PyInstaller --noconfirm --log-level WARN \
  --workpath "$PWD/work" --distpath "$OLDPWD/dist" "$OLDPWD/packaging/fanal.spec"
cd "$OLDPWD"
printf 'dist/fanal  %d MB\n' "$(($(stat -c %s dist/fanal) / 1000000))"
