"""Raises errors with megabytes of text, circular causes and broken descriptions."""


class Broken(Exception):
    def __str__(self):
        raise self

    __repr__ = __str__


def convolve2d(image, kernel, stride=1):
    error = Broken("x" * 5_000_000)
    error.__cause__ = error
    error.add_note("y" * 5_000_000)
    raise error
