"""Pairs of networks where a teacher sees at once what is wrong, and how long it takes to see."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from concrete_networks import graph_of, lost_by, network_of, settings_of, verdict_of

from grader.checks.architecture.expected import ExpectedNetwork
from grader.checks.architecture.matching import match
from grader.checks.architecture.normal_form import normal_form
from grader.checks.network_codes import NetworkCode as Code
from grader.records.network_settings import NetworkSettings

_KINDS: dict[str, dict[str, Any]] = {
    "D": {"layer": "Dense", "activation": "relu"},
    "L": {"layer": "Dense"},
    "C": {"layer": "Conv2D", "kernel_size": 3, "padding": "same", "activation": "relu"},
    "P": {"layer": "MaxPooling2D"},
    "N": {"layer": "BatchNormalization"},
    "O": {"layer": "Dropout", "rate": 0.5},
    "F": {"layer": "Flatten"},
    "R": {"layer": "Activation", "activation": "relu"},
    "add": {"layer": "Add"},
    "mul": {"layer": "Multiply"},
    "cat": {"layer": "Concatenate"},
    "duel": {"layer": "Dueling"},
}
_SIZES = {"D": "units", "L": "units", "C": "filters"}
IMAGE, VECTOR = (8, 8, 2), (6,)


def network(text: str, shape: tuple[int, ...]) -> NetworkSettings:
    """A network in short: `x=D8 | a=D4 x | b=L4 x | add a b | L3`, each layer reading its words.

    A layer that names nothing reads the one before it; `in` is the input.
    """
    entries: list[dict[str, Any]] = []
    for part in text.split("|"):
        match_ = re.fullmatch(r"(?:(\w+)=)?([A-Za-z]+?)(\d*)((?: \w+)*)", part.strip())
        assert match_ is not None, part
        name, kind, size, reads = match_.groups()
        entry = dict(_KINDS[kind])
        if size:
            entry[_SIZES[kind]] = int(size)
        if name:
            entry["name"] = name
        if reads:
            entry["reads"] = ["input" if word == "in" else word for word in reads.split()]
        entries.append(entry)
    return settings_of(shape, entries)


CHAIN = "C4 | C6 | P | C8 | F | D9 | L3"
RESIDUAL = "x=D8 | D5 | y=D8 | add x y | D7 | L3"
TWO = "x=D8 | a=D4 x | b=L4 x | add a b | L3"
DEEP = "x=D8 | D5 x | a=D4 | D6 x | b=L7 | cat a b | L3"
THREE = "x=D9 | a=D2 x | b=D3 x | c=D4 x | cat a b c | L3"
DUEL = "x=D8 | D5 x | v=L1 | D6 x | a=L3 | duel v a"
TWICE = "x=D8 | y=D8 | z=add x y | D8 | w=D8 | add z w | L3"

PAIRS: dict[str, tuple[str, str, list[Code], float]] = {
    "a convolution is missing": (CHAIN, "C4 | P | C8 | F | D9 | L3", [Code.MISSING_LAYER], 1.0),
    "the first is missing": (CHAIN, "C6 | P | C8 | F | D9 | L3", [Code.MISSING_LAYER], 1.0),
    "the last hidden one is missing": (CHAIN, "C4 | C6 | P | C8 | F | L3", [Code.MISSING_LAYER], 1),
    "pooling a layer too early": (CHAIN, "C4 | P | C6 | C8 | F | D9 | L3", [Code.ORDER], 1.0),
    "pooling once more": (
        CHAIN, "C4 | P | C6 | P | C8 | F | D9 | L3", [Code.EXTRA_POOLING], 6.5 / 7,
    ),
    "two convolutions exchanged": (CHAIN, "C6 | C4 | P | C8 | F | D9 | L3", [Code.ORDER], 1.0),
    "all filters in reverse": (CHAIN, "C8 | C6 | P | C4 | F | D9 | L3", [Code.ORDER], 1.0),
    "a block twice": (
        CHAIN, "C4 | C6 | P | C8 | C6 | P | C8 | F | D9 | L3",
        [Code.EXTRA_LAYER, Code.EXTRA_POOLING, Code.EXTRA_LAYER], 3 * 6.5 / 7,
    ),
    "a Dense behind the flatten for a convolution before it": (
        CHAIN, "C4 | C6 | P | F | D8 | D9 | L3", [Code.MISSING_LAYER, Code.EXTRA_LAYER],
        1 + 6.5 / 7,
    ),
    "the shortcut is missing": (RESIDUAL, "D8 | D5 | D8 | D7 | L3", [Code.MISSING_MERGE], 1.0),
    "the shortcut starts too early": (
        RESIDUAL, "x=D8 | z=D5 | y=D8 | add z y | D7 | L3", [Code.READS], 0.5,
    ),
    "a shortcut too many": (
        RESIDUAL, "x=D8 | D5 | y=D8 | s=add x y | t=D7 | add s t | L3", [Code.MERGE], 1.0,
    ),
    "a layer in the shortcut": (
        RESIDUAL, "x=D8 | D5 | y=D8 | s=D8 x | add s y | D7 | L3", [Code.EXTRA_LAYER], 1.0,
    ),
    "the block has one layer": (
        RESIDUAL, "x=D8 | y=D8 | add x y | D7 | L3", [Code.MISSING_LAYER], 1.0,
    ),
    "multiplied instead of added": (
        RESIDUAL, "x=D8 | D5 | y=D8 | mul x y | D7 | L3", [Code.OTHER_KIND], 1.0,
    ),
    "branches in another order": (TWO, "x=D8 | b=L4 x | a=D4 x | add b a | L3", [], 0.0),
    "a branch is missing": (
        TWO, "x=D8 | a=D4 x | L3", [Code.MISSING_LAYER, Code.MISSING_MERGE], 2.0,
    ),
    "branches one behind the other": (
        TWO, "x=D8 | a=D4 x | b=L4 a | add a b | L3", [Code.READS], 0.5,
    ),
    "layers of two branches exchanged": (
        DEEP, "x=D8 | D6 x | a=D4 | D5 x | b=L7 | cat a b | L3", [Code.ORDER], 1.0,
    ),
    "a layer moved into the other branch": (
        DEEP, "x=D8 | a=D4 x | D6 x | D5 | b=L7 | cat a b | L3", [Code.ORDER], 1.0,
    ),
    "merged one layer too early": (
        DEEP, "x=D8 | a=D5 x | b=D6 x | cat a b | D4 | L3",
        [Code.ORDER, Code.MISSING_LAYER], 2.0,
    ),
    "one branch of three is missing": (
        THREE, "x=D9 | a=D2 x | c=D4 x | cat a c | L3", [Code.MISSING_LAYER], 1.0,
    ),
    "a branch more": (
        THREE, "x=D9 | a=D2 x | b=D3 x | c=D4 x | d=D5 x | cat a b c d | L3",
        [Code.EXTRA_LAYER], 1.0,
    ),
    "branches of three in reverse": (
        THREE, "x=D9 | c=D4 x | b=D3 x | a=D2 x | cat c b a | L3", [], 0.0,
    ),
    "a branch from the input": (
        THREE, "x=D9 | a=D2 x | b=D3 in | c=D4 x | cat a b c | L3", [Code.READS], 0.5,
    ),
    "the value is missing": (
        DUEL, "x=D8 | D6 x | L3", [Code.MISSING_LAYER, Code.MISSING_LAYER, Code.MISSING_MERGE], 3.0,
    ),
    "value and advantage only added": (
        DUEL, "x=D8 | D5 x | v=L1 | D6 x | a=L3 | add v a", [Code.DUELING_SUM], 1.0,
    ),
    "value and advantage exchanged": (
        DUEL, "x=D8 | D5 x | v=L1 | D6 x | a=L3 | duel a v", [Code.READS], 0.5,
    ),
    "a hidden layer of a stream is missing": (
        DUEL, "x=D8 | D5 x | v=L1 | a=L3 x | duel v a", [Code.MISSING_LAYER], 1.0,
    ),
    "the second shortcut is missing": (
        TWICE, "x=D8 | y=D8 | add x y | D8 | D8 | L3", [Code.MISSING_MERGE], 1.0,
    ),
    "the second block is missing": (
        TWICE, "x=D8 | y=D8 | add x y | L3",
        [Code.MISSING_LAYER, Code.MISSING_MERGE], 3.0,
    ),
    "one layer of a block is missing": (
        TWICE, "x=D8 | y=D8 | z=add x y | w=D8 | add z w | L3", [Code.MISSING_LAYER], 1.0,
    ),
    "the shortcut reaches past both blocks": (
        TWICE, "x=D8 | y=D8 | z=add x y | D8 | w=D8 | add x w | L3", [Code.READS], 0.5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS)
def test_what_a_teacher_sees_at_once_is_what_is_told(pair: str) -> None:
    asked, given, codes, lost = PAIRS[pair]
    shape = IMAGE if asked == CHAIN else VECTOR
    settings = network(asked, shape)
    graph = graph_of(network_of(network(given, shape)))
    verdict = verdict_of(settings, graph)
    told = [finding.code for finding in verdict.findings]
    assert told == codes
    assert lost_by(settings, verdict) == pytest.approx(lost)


# --- time -----------------------------------------------------------------------------------------


def chained(count: int) -> str:
    return " | ".join(f"D{number % 17 + 2}" for number in range(count))


def blocks(count: int) -> str:
    """Residual blocks of four layers behind each other."""
    parts = ["s0=D8"]
    for number in range(count // 4):
        parts += [f"D{number % 7 + 3}", "D9", f"b{number}=D8"]
        parts += [f"s{number + 1}=add s{number} b{number}"]
    return " | ".join(parts)


def branching(count: int, *, reverse: bool) -> str:
    """Blocks of three branches side by side."""
    parts = ["x0=D8"]
    for number in range(count):
        sizes = {"a": number % 5 + 2, "b": number % 7 + 3, "c": number % 3 + 4}
        names = sorted(sizes, reverse=reverse)
        parts += [f"{name}{number}=D{sizes[name]} x{number}" for name in names]
        parts.append(f"x{number + 1}=cat {' '.join(f'{name}{number}' for name in names)}")
    return " | ".join([*parts, "L3"])


def matched(asked: ExpectedNetwork, given: ExpectedNetwork) -> tuple[float, int]:
    """Seconds of processor time, the least of three tries, and the cost."""
    form = normal_form(graph_of(given), 1.0, preprocessing_allowed=True)
    times = []
    for _ in range(3):
        start = time.process_time()
        cost = match(asked, form).cost
        times.append(time.process_time() - start)
    return min(times), cost


@pytest.mark.parametrize("write", [chained, blocks])
def test_two_networks_of_two_hundred_layers_match_in_no_time(write: Any) -> None:
    asked = network_of(network(f"{write(196)} | L3", VECTOR))
    assert 190 <= len(asked.layers) <= 200
    text = write(196).replace("D9 |", "D10 |", 20).replace("D3 |", "", 3)
    given = network_of(network(f"{text} | L3", VECTOR))
    seconds, cost = matched(asked, given)
    assert cost > 0
    assert seconds < 0.1


def test_branches_in_reverse_in_many_blocks_are_found_in_no_time() -> None:
    asked = network_of(network(branching(48, reverse=False), VECTOR))
    text = branching(48, reverse=True)
    seconds, cost = matched(asked, network_of(network(text, VECTOR)))
    assert (len(asked.layers), cost) == (194, 0)
    assert seconds < 0.1
    seconds, cost = matched(asked, network_of(network(text.replace("D5", "D6", 2), VECTOR)))
    assert cost == 40
    assert seconds < 0.3
