"""Patterns drawn at random, over all families of layers."""

from __future__ import annotations

import random
from typing import Any

Entry = dict[str, Any]
_ACTIVATIONS = ("linear", "relu", "tanh", "elu", "sigmoid")


class _Drawing:
    """A list of layers while it is drawn, with the shape behind the last."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.entries: list[Entry] = []

    def add(self, layer: str, **fields: Any) -> str:
        name = f"layer{len(self.entries)}"
        self.entries.append({"layer": layer, "name": name, **fields})
        return name

    def size(self) -> int:
        return self.dice.randint(2, 60)

    def activation(self) -> str:
        return self.dice.choice(_ACTIVATIONS)

    def window(self, rank: int) -> Any:
        sides = [self.dice.randint(1, 3) for _ in range(rank)]
        return sides if self.dice.random() < 0.5 else sides[0]

    def any_rank(self) -> None:
        """A layer that takes anything and leaves its shape alone."""
        kind = self.dice.choice(
            ["BatchNormalization", "LayerNormalization", "Dropout", "RMSNormalization"]
        )
        fields = {"rate": self.dice.choice([0.1, 0.25, 0.5])} if kind == "Dropout" else {}
        self.add(kind, **fields)

    def window_layer(self, rank: int) -> None:
        """A layer with a window that leaves the rank alone, and no side shorter than 1."""
        kinds = [
            f"Conv{rank}D",
            f"Conv{rank}DTranspose",
            f"MaxPooling{rank}D",
            f"AveragePooling{rank}D",
        ]
        if rank < 3:
            kinds += [f"SeparableConv{rank}D", f"DepthwiseConv{rank}D"]
        kind = self.dice.choice(kinds)
        if "Pooling" in kind:
            self.add(kind, pool_size=self.window(rank), padding="same")
            return
        fields: Entry = {
            "kernel_size": self.window(rank),
            "padding": "same",
            "activation": self.activation(),
            "use_bias": self.dice.random() < 0.8,
        }
        if not kind.startswith("Depthwise"):
            fields["filters"] = self.size()
        if kind.startswith(("Depthwise", "Separable")):
            fields["depth_multiplier"] = self.dice.randint(1, 3)
        elif self.dice.random() < 0.5:
            fields["strides"] = self.dice.randint(1, 2)
        self.add(kind, **fields)

    def recurrent(self, *, every: bool) -> None:
        self.add(
            self.dice.choice(["SimpleRNN", "LSTM", "GRU"]),
            units=self.size(),
            return_sequences=every,
            bidirectional=self.dice.choice(["no", "no", "concat", "sum"]),
            go_backwards=self.dice.random() < 0.2,
            dropout=self.dice.choice([0.0, 0.0, 0.3]),
        )

    def attention(self) -> None:
        start = self.add("Dense", units=8, activation=self.activation())
        heads = self.add(
            "MultiHeadAttention", num_heads=self.dice.randint(1, 4), key_dim=self.size(),
            use_causal_mask=self.dice.random() < 0.5, reads=[start, start],
        )  # fmt: skip
        self.add("Add", reads=[start, heads])

    def branches(self) -> None:
        """Some branches of the same width from one layer, and a merge."""
        start = self.add("Dense", units=self.size(), activation=self.activation())
        width = self.size()
        ends = [
            self.add("Dense", units=width, activation=self.activation(), reads=[start])
            for _ in range(self.dice.randint(2, 3))
        ]
        kind = self.dice.choice(["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
        self.add(kind, reads=ends)
        if self.dice.random() < 0.5:
            self.add("Activation", activation=self.dice.choice(["relu", "tanh"]))

    def dueling(self) -> None:
        start = self.add("Dense", units=self.size(), activation="relu")
        self.add("Dense", units=self.size(), activation=self.activation(), reads=[start])
        value = self.add("Dense", units=1)
        self.add("Dense", units=self.size(), activation=self.activation(), reads=[start])
        advantage = self.add("Dense", units="num_actions")
        self.add("Dueling", reads=[value, advantage], baseline=self.dice.choice(["mean", "max"]))


def random_pattern(dice: random.Random) -> tuple[tuple[int, ...], list[Entry]]:
    """A shape of the input and a list of layers that can follow it."""
    drawing = _Drawing(dice)
    rank = dice.choice([0, 0, 1, 1, 2, 2, 3])
    shape = ((5,), (6, 8), (8, 10, 3), (4, 6, 4, 2))[rank]
    for _ in range(dice.randint(1, 4) if rank else 0):
        dice.choice(
            [drawing.any_rank, lambda: drawing.window_layer(rank)]
            + ([lambda: drawing.recurrent(every=True), drawing.attention] if rank == 1 else [])
        )()
    if rank == 1 and dice.random() < 0.3:
        drawing.recurrent(every=False)
    elif rank:
        drawing.add(
            dice.choice(["Flatten", f"GlobalMaxPooling{rank}D", f"GlobalAveragePooling{rank}D"])
        )
    for _ in range(dice.randint(0, 2)):
        dice.choice(
            [drawing.any_rank, drawing.branches,
             lambda: drawing.add("Dense", units=drawing.size(), activation=drawing.activation())]
        )()  # fmt: skip
    if dice.random() < 0.3:
        drawing.dueling()
    else:
        drawing.add("Dense", units="num_actions")
    return shape, drawing.entries
