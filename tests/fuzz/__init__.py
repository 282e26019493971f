"""Fuzz targets, one module a parser: ``SEEDS``, a list of inputs, and ``check(data)``, which fails if it should.

`test_fuzz` runs all of them for a moment, or for ``FANAL_FUZZ_SECONDS`` each.
"""
