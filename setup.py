"""The native kernels.  Everything else about the package is in pyproject.toml.

Each extension's dotted name places the built file into the real package ``appliance/_native/``, so that the
working directory, an editable install and a wheel all see the same tree.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

KERNELS = sorted(path.stem for path in Path("_native").glob("*.pyx"))
# -s strips: a module shrinks from about 1 MB to 0.2 MB.
LINK = ["-s"] if platform.system() == "Linux" else []

setup(
    # the top-level folder build/ holds recipes, so what the build makes goes elsewhere
    options={"build": {"build_base": ".cache/build"}, "build_ext": {"parallel": os.cpu_count()}},
    ext_modules=cythonize(
        [
            Extension(
                f"appliance._native.{name}",
                [f"_native/{name}.pyx"],
                include_dirs=["_native"],
                depends=[str(path) for path in Path("_native").glob("*.h")],
                extra_compile_args=["-O3"],
                extra_link_args=LINK,
            )
            for name in KERNELS
        ],
        build_dir=".cache/cython",
        nthreads=os.cpu_count() or 1,
        language_level=3,
    ),
)
