"""Prints and raises text that moves the cursor, sets titles and hides lines."""

EVIL = (
    "\x1b[2J\x1b]0;passed\x07\x1b[8m\x9b31m\r\x08\x7f\u202egnorw\u202c\u200b\x1b]8;;http://x\x1b\\"
)
print(EVIL)


class Error(Exception):
    pass


Error.__name__ = Error.__qualname__ = EVIL


def convolve2d(image, kernel, stride=1):
    raise Error(f"{EVIL}\n\u2028{EVIL}")
