"""Pure-Python twins of the native kernels: written to be read, and the oracle that the kernels are held to."""
