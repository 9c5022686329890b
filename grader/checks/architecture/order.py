"""Putting the layers of a graph into a row, branch by branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def depth_first(reads: Mapping[int, Sequence[int]], outputs: Sequence[int]) -> list[int]:
    """All layers that lead to the outputs, each after those it reads.

    A branch stands in one piece, and branches stand in the order in which they are read.

    Args:
        reads: what each layer reads, in order; indices that are no keys are inputs.
        outputs: the layers that are returned, in order.
    """
    order: list[int] = []
    done: set[int] = set()
    entered: set[int] = set()
    # Networks may be thousands of layers deep, which is too deep for recursion.
    waiting: list[tuple[int, bool]] = [(index, False) for index in reversed(outputs)]
    while waiting:
        index, read = waiting.pop()
        if read:
            done.add(index)
            order.append(index)
        elif index in reads and index not in entered:
            entered.add(index)
            waiting.append((index, True))
            waiting.extend((one, False) for one in reversed(reads[index]) if one not in done)
    return order
