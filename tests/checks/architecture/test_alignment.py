"""Pairing two networks at least cost."""

from __future__ import annotations

import time

from written_networks import (
    conv,
)

from grader.checks.architecture.alignment import align
from grader.checks.architecture.expected import layer_of
from grader.checks.architecture.layers import Layer, values_of
from grader.records.patterns import ConvolutionPattern, FlattenPattern


def test_two_lists_of_two_hundred_layers_align_in_no_time() -> None:
    sizes = [(n + 1, n % 9 + 1) for n in range(200)]
    one = [
        layer_of(ConvolutionPattern(layer="Conv2D", filters=filters, kernel_size=kernel), {})
        for filters, kernel in sizes
    ]
    same = [
        Layer("Conv2D", values_of("Conv2D", conv(filters, kernel, 1).config, {}))
        for filters, kernel in sizes
    ]
    two = [*same[5:60], *reversed(same[:60]), *same[60:140]]
    start = time.perf_counter()
    pairs = align(one, two).pairs
    assert time.perf_counter() - start < 0.1
    assert [index for index, _ in pairs if index is not None] == list(range(200))
    assert [index for _, index in pairs if index is not None] == list(range(len(two)))


def test_of_equal_layers_the_first_are_paired() -> None:
    asked, found = [layer_of(FlattenPattern(layer="Flatten"), {})], [Layer("Flatten")]
    assert align(asked, found * 3).pairs == ((0, 0), (None, 1), (None, 2))
    assert align(asked * 2, found).pairs == ((0, 0), (1, None))
