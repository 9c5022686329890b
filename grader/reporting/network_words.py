"""The layer table in words: one sentence for the whole network, and the attributes of a layer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from grader.records.result import LayerCell, LayerRow, NetworkTable, RowStatus
from grader.records.text import clean_line
from grader.reporting.wording import count_of

_DIFFERENCE: Final = re.compile(r"^([A-Za-z_ ]{1,40}): expected (.{1,200}?), received (.{1,200})$")
HARMLESS: Final = frozenset({RowStatus.MATCHES, RowStatus.PREPROCESSING, RowStatus.FREE})
"""What costs nothing."""
_TOLD: Final = 3
"""The most differences that the sentence names one by one."""
_LISTED: Final = 6
"""The most layers that are named by their numbers."""
_PLURALS: Final = {"has": "have", "is": "are", "reads": "read", "stands": "stand"}
_COUNTED: Final = frozenset({"filters", "units"})
_NOT_ASKED_FOR: Final = "This layer was not asked for."
_NOT_THERE: Final = "This layer is not in your network."


@dataclass(frozen=True)
class Difference:
    """One attribute that differs."""

    attribute: str
    expected: str
    received: str

    def asked(self) -> str:
        """Such as `strides (2, 2)` or `32 filters`."""
        if self.attribute in _COUNTED and self.expected.isdigit():
            return f"{self.expected} {self.attribute}"
        return f"{self.attribute} {self.expected}"

    def phrase(self) -> str:
        """Such as `strides (1, 1) instead of (2, 2)`."""
        asked, found, attribute = self.expected, self.received, self.attribute
        if attribute in _COUNTED and asked.isdigit() and found.isdigit():
            return f"{found} {attribute} instead of {asked}"
        if attribute in _COUNTED and found == "a fixed number":
            return f"a fixed number of {attribute} instead of {asked}"
        if attribute == "padding":
            return f"{found} padding instead of {asked}"
        if attribute == "activation" and found == "linear":
            return f"no activation instead of {asked}"
        return f"{attribute.removesuffix('_size').replace('_', ' ')} {found} instead of {asked}"


@dataclass(frozen=True)
class Chip:
    """One attribute of a layer."""

    text: str
    differs: bool = False


def differences_of(row: LayerRow) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """The attributes of a row that differ, and what else is said about it."""
    parsed: list[Difference] = []
    others: list[str] = []
    for text in row.differences:
        match = _DIFFERENCE.match(clean_line(text).replace("`", ""))
        if match is None:
            others.append(text)
        else:
            parsed.append(Difference(match[1], match[2].strip(), match[3].strip()))
    return tuple(parsed), tuple(others)


def chips(cell: LayerCell, differences: tuple[Difference, ...], *, received: bool) -> list[Chip]:
    """The attributes of a layer, those that differ marked, and added where they are not named.

    Args:
        cell: the layer.
        differences: what differs in its row.
        received: whether it is the student's.
    """
    texts = list(_split(cell.summary))
    marked: set[int] = set()
    added: list[str] = []
    for difference in differences:
        if difference.attribute == "kind":
            continue
        value = difference.received if received else difference.expected
        place = _place(texts, difference.attribute, value)
        if place is not None:
            marked.add(place)
        elif difference.attribute == "activation" and value == "linear":
            added.append("no activation")
        else:
            added.append(f"{difference.attribute} {value}")
    return [Chip(text, index in marked) for index, text in enumerate(texts)] + [
        Chip(text, differs=True) for text in added
    ]


def _place(texts: list[str], attribute: str, value: str) -> int | None:
    """Which of the texts tells an attribute."""
    word = attribute.removesuffix("_size").replace("_", " ")
    forms = (f"{word} {value}", f"{value} {word}", f"{attribute} {value}", value)
    for form in forms:
        if form in texts:
            return texts.index(form)
    close = [
        index
        for index, text in enumerate(texts)
        if word in text and (value in text or attribute in _COUNTED)
    ]
    return close[0] if len(close) == 1 else None


def _split(summary: str) -> Iterator[str]:
    """The parts of a list with commas, where those in brackets divide nothing."""
    depth, start = 0, 0
    for index, char in enumerate(summary):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth <= 0:
            if summary[start:index].strip():
                yield summary[start:index].strip()
            start = index + 1
    if summary[start:].strip():
        yield summary[start:].strip()


def is_proven(table: NetworkTable) -> bool:
    """Whether the layers count: without proof not even those that match earn their points."""
    worth = [row for row in table.rows if row.status is RowStatus.MATCHES and row.max_points > 0]
    return not worth or any(row.points > 0 for row in worth)


def table_sentence(table: NetworkTable) -> str:
    """What a layer table shows, in one or two sentences: how many layers differ, and which how."""
    asked = [row for row in table.rows if row.expected is not None]
    matching = sum(row.status is RowStatus.MATCHES for row in asked)
    wrong = list(_wrong(table))
    if not wrong:
        sentence = f"All {count_of(len(asked), 'layer')} match." if asked else "Nothing to compare."
    else:
        counts = _counts(table, len(asked))
        told = "; ".join(wrong[:_TOLD])
        more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        sentence = f"{counts}: {told}{more}."
        if matching == len(asked):
            sentence = f"All {count_of(len(asked), 'layer')} asked for are there, but {told}{more}."
    if is_proven(table):
        return sentence
    return (
        f"{sentence} But that is only what your code says: it is not proven that these layers "
        "compute the output, so none of them counts."
    )


def _counts(table: NetworkTable, asked: int) -> str:
    statuses = [row.status for row in table.rows]
    differ, missing = statuses.count(RowStatus.DIFFERS), statuses.count(RowStatus.MISSING)
    extra = statuses.count(RowStatus.EXTRA)
    parts = []
    if differ:
        parts.append(f"{differ} of {count_of(asked, 'layer')} {_verb(differ, 'differs', 'differ')}")
    if missing:
        what = f"{missing}" if parts else f"{missing} of {count_of(asked, 'layer')}"
        parts.append(f"{what} {_verb(missing, 'is', 'are')} missing")
    if extra:
        what = f"{extra}" if parts else count_of(extra, "layer")
        parts.append(f"{what} {_verb(extra, 'was', 'were')} not asked for")
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _wrong(table: NetworkTable) -> Iterator[str]:
    """What is wrong with the rows, from input to output; the same in several layers once."""
    groups: dict[tuple[RowStatus, str, bool], list[int]] = {}
    number = 0
    for row in table.rows:
        if row.expected is not None:
            number += 1
        if row.status is RowStatus.MISSING and row.expected is not None:
            what = _named(row.expected)
        elif row.status is RowStatus.EXTRA and row.received is not None:
            what = _named(row.received)
        elif row.status is RowStatus.DIFFERS:
            what = _how(row)
        else:
            continue
        groups.setdefault((row.status, what, number == 0), []).append(number)
    for (status, what, first), numbers in groups.items():
        layers = f"layer{'s' if numbers[1:] else ''} {_listed(numbers)}"
        if status is RowStatus.MISSING:
            yield f"{layers}, {what}, {_verb(len(numbers), 'is', 'are')} missing"
        elif status is RowStatus.DIFFERS:
            yield f"{layers} {_plural(what) if numbers[1:] else what}"
        else:
            place = "before layer 1" if first else f"after {layers}"
            yield f"{what} {place} was not asked for"


def _plural(what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{_PLURALS.get(first, first)} {rest}"


def _listed(numbers: list[int]) -> str:
    """Such as `1, 2 and 3`."""
    texts = [str(number) for number in numbers]
    if len(texts) > _LISTED:
        texts = [*texts[:2], f"{len(texts) - 2} more"]
    return " and ".join((", ".join(texts[:-1]), texts[-1])) if texts[1:] else texts[0]


def _how(row: LayerRow) -> str:
    known, others = differences_of(row)
    for difference in known:
        if difference.attribute == "kind":
            return f"is {difference.received} instead of {difference.expected}"
    phrases = [difference.phrase() for difference in known]
    if phrases:
        return f"has {' and '.join(phrases)}"
    return clean_line(others[0], 200).rstrip(".") if others else "differs"


def _named(cell: LayerCell) -> str:
    first = next(_split(cell.summary), "")
    return clean_line(f"{cell.kind} ({first})" if first else cell.kind, 100)


def row_differences(row: LayerRow) -> tuple[str, ...]:
    """What to see in a row that does not match, in words."""
    if row.differences or row.status in HARMLESS:
        return row.differences
    if row.status is RowStatus.MISSING:
        return (_NOT_THERE,)
    if row.status is RowStatus.EXTRA:
        return (_NOT_ASKED_FOR,)
    return ()
