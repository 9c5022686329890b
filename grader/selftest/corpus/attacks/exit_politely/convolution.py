"""Raises SystemExit, KeyboardInterrupt and GeneratorExit."""

turn = [0]


def convolve2d(image, kernel, stride=1):
    turn[0] += 1
    raise (SystemExit, KeyboardInterrupt, GeneratorExit)[turn[0] % 3]
