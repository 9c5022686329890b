"""Text that came from students, made safe to store and to print.

HTML escaping is the template engine's work; here control characters, direction overrides and
length are dealt with, once, where the text enters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_TEXT_CHARS: Final = 2000
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_CUT_ADDRESS = re.compile(r"0x[0-9a-fA-F]*\Z")
_ADDRESS_CHARS: Final = 64
# ECMA-48: colours and cursor movements, which libraries put into messages; titles and links; and
# the short escapes of two or three characters.
_CONTROL_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\x9d]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b[@-Z\\^_]"
)
# Cc and Cf hold escape sequences and direction overrides; Cs, Co and Cn cannot be stored safely.
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_text(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    """Student text without control characters, of bounded length, the same in every run.

    Newlines and tabs stay, terminal escape sequences go. Every other control, format, surrogate or
    private-use character becomes U+FFFD, so that a terminal or a CI log shows the text instead of
    obeying it. Memory addresses, which differ from run to run, become `0x…`.

    Args:
        text: any text.
        limit: the most characters that are kept.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "0x" not in text:
        return text
    # Half an address would be shown as it is, and differ from run to run.
    clipped = text[: 2 * limit + _ADDRESS_CHARS]
    if clipped != text:
        clipped = _CUT_ADDRESS.sub("", clipped)
    plain = _CONTROL_SEQUENCE.sub("", clipped.replace("\r\n", "\n"))
    safe = "".join(
        char if char in "\n\t" or unicodedata.category(char) not in _UNSAFE_CATEGORIES else "\ufffd"
        for char in plain
    )
    safe = _ADDRESS.sub("0x…", safe)
    return safe if len(safe) <= limit and clipped == text else safe[:limit] + "…"


def clean_line(text: str, limit: int = 300) -> str:
    """Like `clean_text`, on one line: runs of white space become one space."""
    return clean_text(" ".join(text[: 4 * limit + _ADDRESS_CHARS].split()), limit)
