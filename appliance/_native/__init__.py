"""The hot kernels, built from the Cython sources in the top-level folder ``_native/``."""
