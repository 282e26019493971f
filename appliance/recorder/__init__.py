"""The recorder: writes what cameras send into files, keeps an index of them, reads them again, and makes room."""
