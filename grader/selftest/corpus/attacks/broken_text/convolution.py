"""Returns text that no file takes: lone surrogates, NUL bytes, invalid UTF-8."""

import os

os.write(1, b"\xff\xfe\x00\xc0\x80" + bytes(range(256)))


class Error(Exception):
    pass


Error.__qualname__ = "E\udcff\x00"


def convolve2d(image, kernel, stride=1):
    if stride == 1:
        return "\ud800\x00\udfff"
    raise Error("\ud800\x00\udfff\U0010ffff\ufdd0")
