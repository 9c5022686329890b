"""What a worker sees in a source text, without running it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import pytest

from grader.records.messages import ReadFile
from grader.records.source import MAX_HINTS, MAX_LAYER_CALLS, HintKind, Reading
from grader.records.spec import Limits
from grader.sandbox.server import ForkServer

Read = Callable[..., Reading]


@pytest.fixture(scope="module")
def read(fork_server: ForkServer) -> Iterator[Read]:
    with fork_server.student(Limits(part_wall_s=300, part_cpu_s=200), 1) as worker:

        def reading(source: str | bytes, **beside: bytes) -> Reading:
            content = source if isinstance(source, bytes) else textwrap.dedent(source).encode()
            files = {"student.py": content, **{f"{name}.py": data for name, data in beside.items()}}
            worker.put_files(tuple(files.items()))
            return Reading.parse(worker.ask(ReadFile(file="student.py"), "reading"))

        yield reading


def hints(reading: Reading) -> list[tuple[str, int, str]]:
    return [(hint.kind.value, hint.line, hint.text) for hint in reading.hints]


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        ("Conv2D(32, 8, subsample=(4, 4))", HintKind.OLD_ARGUMENT, "subsample"),
        ("keras.layers.Dense(output_dim=3)", HintKind.OLD_ARGUMENT, "output_dim"),
        ("keras.optimizers.Adam(lr=1)", HintKind.OLD_ARGUMENT, "lr"),
        ("SGD(0.1, decay=1e-6)", HintKind.OLD_ARGUMENT, "decay"),
        ("Model(input=a, output=b)", HintKind.OLD_ARGUMENT, "input"),
        ("def f(): model.fit(x, y, nb_epoch=1)", HintKind.OLD_ARGUMENT, "nb_epoch"),
        ("def f(): model.fit_generator(x)", HintKind.OLD_CALL, "fit_generator"),
        ("def f(): return tf.placeholder(1)", HintKind.OLD_CALL, "tf.placeholder"),
        ("import gym", HintKind.OLD_IMPORT, "gym"),
        ("from gym import spaces", HintKind.OLD_IMPORT, "gym"),
        ("import keras.layers.core", HintKind.OLD_IMPORT, "keras.layers.core"),
        ("from keras.utils import np_utils", HintKind.OLD_IMPORT, "keras.utils.np_utils"),
        ("from tensorflow.keras.layers.merge import Add", HintKind.OLD_IMPORT,
         "tensorflow.keras.layers.merge"),
        ("Convolution2D(32, 8, 4)", HintKind.KERNEL_NUMBERS, "Convolution2D(32, 8, 4)"),
        ("Conv2D(32, 8, 8)", HintKind.KERNEL_NUMBERS, "Conv2D(32, 8, 8)"),
        ("[Dense(3), Dense(2, input_shape=(3,))]", HintKind.LATER_INPUT_SHAPE, "Dense"),
        ("m.add(Dense(3))\nm.add(Dense(2, input_shape=(3,)))", HintKind.LATER_INPUT_SHAPE, "Dense"),
        ("model.fit(x, y)", HintKind.TRAINS, "model.fit(x, y)"),
        ("env.step(0)", HintKind.PLAYS, "env.step(0)"),
        ("def play(): ...\nfor i in x:\n    play()", HintKind.LOOPS, "for i in x:"),
        ("plt.show()", HintKind.SHOWS_WINDOW, "plt.show()"),
        ("if x:\n    env.render()", HintKind.SHOWS_WINDOW, "env.render()"),
        ("seed = input('?')", HintKind.READS_INPUT, "seed = input('?')"),
        ("k.datasets.mnist.load_data()", HintKind.DOWNLOADS, "k.datasets.mnist.load_data()"),
        ("drive.mount('/x')", HintKind.DOWNLOADS, "drive.mount('/x')"),
        ("PATH = 'C:/Users/me/w.npy'", HintKind.ABSOLUTE_PATH, "C:/Users/me/w.npy"),
    ],
)  # fmt: skip
def test_a_relic_or_a_script_is_noticed(read: Read, source: str, kind: HintKind, text: str) -> None:
    assert (kind, text) in [(hint.kind, hint.text) for hint in read(source).hints]


@pytest.mark.parametrize(
    "source",
    [
        "Embedding(input_dim=3, output_dim=4)",
        "Conv2D(32, 8, 4)",
        "Conv2D(32, (8, 8), strides=4)",
        "f(lr=1, p=2, weights=3, input=4)",
        "try:\n    import gymnasium as gym\nexcept ImportError:\n    import gym",
        "class A:\n    def predict_proba(self): ...\n    def f(self): self.predict_proba()",
        "[Dense(3, input_shape=(3,)), Dense(2)]",
        "def train():\n    for i in x:\n        model.fit(i)\n        plt.show()",
        "if __name__ == '__main__':\n    model.fit(x)\n    input()\n    p = '/home/me/x'",
        "for i in range(3):\n    numbers.append(i)",
        "path = '/'",
        "f = lambda: model.fit(x)",
    ],
)
def test_what_is_right_gives_no_hint(read: Read, source: str) -> None:
    assert hints(read(source)) == []


def test_layers_are_found_with_their_lines_in_order(read: Read) -> None:
    reading = read(
        """
        from keras import layers as L
        def build(n):
            x = L.Conv2D(32, 8)(
                inputs)
            x = L.Flatten()(x)
            return keras.layers.Dense(n)(x)
        class Dense2: ...
        Dense2()
        """
    )
    calls = [(call.kind, call.line) for call in reading.layer_calls]
    assert calls == [("Conv2D", 4), ("Flatten", 6), ("Dense", 7)]


def test_a_file_with_the_name_of_an_imported_package_is_noticed(read: Read) -> None:
    found = hints(read("import random\nimport helpers", random=b"x = 1", helpers=b"x = 1"))
    assert found == [("shadows", 1, "random.py")]


@pytest.mark.parametrize(
    "source",
    [b"def f(:", b"\xff\xfe\x00", b"x = '" + b"a" * (1 << 20) + b"'", b"(" * 500 + b")" * 500,
     b"x = " + b"-" * 20000 + b"1"],
    ids=["syntax", "bytes", "large", "nested", "deep"],
)  # fmt: skip
def test_what_cannot_be_read_gives_no_hints(read: Read, source: bytes) -> None:
    assert read(source) == Reading()


def test_hints_and_lines_are_bounded(read: Read) -> None:
    lines = [f"Dense({n}, init='x{n}'); p{n} = '/home/{n}{'y' * 500}'" for n in range(300)]
    reading = read("\n".join(lines))
    assert len(reading.hints) == MAX_HINTS
    assert len(reading.layer_calls) == MAX_LAYER_CALLS
    assert max(len(hint.text) for hint in reading.hints) <= 121
