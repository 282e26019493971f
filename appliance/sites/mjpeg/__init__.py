"""Cameras that give JPEG pictures over HTTP: one after the other in an answer that does not end, or one an answer.

`multipart` and `exchange` know no socket: bytes in, events out.  `source` drives them with Trio.
"""
