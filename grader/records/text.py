"""Text that came from students, made safe to store and to print.

HTML escaping is the template engine's work; here control characters, direction overrides and
length are dealt with, once, where the text enters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_TEXT_CHARS: Final = 2000
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{6,}")
# ECMA-48: control sequences (colours, cursor), operating system commands (titles, links) and the
# short escapes of two or three characters.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b[@-Z\\^_]"
)
_LOOKED_AT: Final = 4
"""Characters looked at for each one that may be kept: the rest may be escape sequences."""
# Cc and Cf hold escape sequences and direction overrides; Cs, Co and Cn cannot be stored safely.
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_text(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    """Student text without control characters, of bounded length, the same in every run.

    Newlines and tabs stay. Terminal escape sequences, such as the colours in Keras' messages, are
    left out whole. Every other control, format, surrogate or private-use character becomes U+FFFD,
    so that a terminal or a CI log shows the text instead of obeying it. Memory addresses, which
    differ from run to run, become `0x…`.

    Args:
        text: any text.
        limit: the most characters that are kept.
    """
    plain = _ESCAPES.sub("", text[: _LOOKED_AT * limit + 1].replace("\r\n", "\n"))
    # Before the text is cut: an address that is cut in two would no longer be recognised.
    plain = _ADDRESS.sub("0x…", plain)
    safe = "".join(
        char if char in "\n\t" or unicodedata.category(char) not in _UNSAFE_CATEGORIES else "\ufffd"
        for char in plain[:limit]
    )
    return safe if len(plain) <= limit else safe + "…"


def clean_line(text: str, limit: int = 300) -> str:
    """Like `clean_text`, on one line: runs of white space become one space."""
    return clean_text(" ".join(text[: limit * 4].split()), limit)
