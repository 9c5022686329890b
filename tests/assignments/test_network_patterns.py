"""Every mistake in the layers that are asked for is told where it stands, and how to mend it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignments.loader import builtin_ids, load_assignment
from grader.errors import AssignmentError

Problems = Callable[..., list[tuple[str, str]]]

TEMPLATE = """\
id = "course"
title = "A course"

[parts.network]
title = "A network"
kind = "network"
file = "network.py"

[parts.network.settings]
{settings}
{layers}

[parts.network.checks.architecture]
title = "Its layers"
points = 1
"""
PICTURES = "input_shapes = [[8, 8, 1]]\nnum_actions = [4, 2]"
WORDS = """\
arguments = [{ words = 9, classes = 3 }]
inputs = [{ shapes = [[6]], range = [0, "words - 1"], whole_numbers = true }]
returns = "numbers\""""
CONV = 'layer = "Conv2D"\nfilters = 8\nkernel_size = 3'
FLAT = 'layer = "Flatten"'
OUT = 'layer = "Dense"\nunits = "num_actions"'
VECTORS = 'layer = "Embedding"\ninput_dim = "words"\noutput_dim = 4'
MEAN = 'layer = "GlobalAveragePooling1D"'
CLASSES = 'layer = "Dense"\nunits = "classes"'


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """Problems of a network: of each the text of its line, and what is said below the settings."""

    def found(*layers: str, settings: str = PICTURES) -> list[tuple[str, str]]:
        listed = "\n".join(f"[[parts.network.settings.layers]]\n{layer}" for layer in layers)
        path = tmp_path / "assignment.toml"
        text = TEMPLATE.format(settings=settings, layers=listed)
        path.write_text(text, encoding="utf-8")
        try:
            load_assignment(str(path))
        except AssignmentError as error:
            lines = text.splitlines()
            told = []
            for problem in error.problems:
                place, said = problem.split(": ", 1)
                line = lines[int(place.rpartition(":")[2]) - 1]
                told.append((line, said.removeprefix("parts.network.settings.")))
            return told
        return []

    return found


def test_a_right_network_has_no_problems(problems: Problems) -> None:
    assert problems(CONV, FLAT, OUT) == []
    assert problems(VECTORS, MEAN, CLASSES, settings=WORDS) == []


# --- the form of a value ------------------------------------------------------------------------

SIZE = (
    "expected a whole number from 1 to 1048576, arithmetic with the builder's arguments, such as "
    '"2 * num_actions", a range { min = …, max = … } or alternatives such as { one_of = [3, 5] }'
)
WINDOW = (
    "expected a whole number from 1 to 1048576, a list of one to three whole numbers from 1 to "
    "1048576, such as [3, 3], a range { min = …, max = … }, alternatives such as "
    '{ one_of = [3, 5] } or "any"'
)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("units = 0", f"units: {SIZE}, received 0"),
        ("units = 3.5", f"units: {SIZE}, received 3.5"),
        ("units = [3]", f"units: {SIZE}, received [3]"),
        ("units = {}", f"units: {SIZE}, received {{}}"),
        ('units = "num_actions ^ 2"', f'units: {SIZE}, received "num_actions ^ 2"'),
        (
            "units = { mim = 3 }",
            "units.mim: unknown key; did you mean `min`? Known here: `min`, `max`, `one_of`.",
        ),
        ("units = { min = 9, max = 3 }", "units: nothing is at least 9 and at most 3"),
        ("units = { max = -5 }", "units: no whole number from 1 lies in this range"),
        ("units = { min = 2.2, max = 2.8 }", "units: no whole number from 1 lies in this range"),
        ("units = { min = nan }", "units.min: expected an ordinary number, received nan"),
        ('units = { min = "3" }', 'units.min: expected a number, received "3"'),
        (
            "units = { one_of = [] }",
            "units.one_of: expected a non-empty list of whole numbers from 1 to 1048576 or "
            'arithmetic with the builder\'s arguments, such as ["2 * num_actions"], received []',
        ),
        (
            "units = { one_of = [3, 0] }",
            "units.one_of[1]: expected a whole number from 1 to 1048576 or arithmetic with the "
            'builder\'s arguments, such as "2 * num_actions", received 0',
        ),
    ],
)
def test_a_size(written: str, told: str, problems: Problems) -> None:
    assert problems(CONV, FLAT, f'layer = "Dense"\n{written}') == [(written, f"layers[2].{told}")]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('kernel_size = "3x3"', f'kernel_size: {WINDOW}, received "3x3"'),
        (
            "kernel_size = [0, 3]",
            "kernel_size[0]: expected a whole number from 1 to 1048576, received 0",
        ),
        (
            "kernel_size = [3, 3, 3]",
            "kernel_size: Conv2D takes 2 numbers, or one for all sides, received [3, 3, 3]",
        ),
        (
            "kernel_size = { one_of = [3, [3]] }",
            "kernel_size.one_of[1]: Conv2D takes 2 numbers, or one for all sides, received [3]",
        ),
        (
            'kernel_size = 3\npadding = "vaild"',
            'padding: expected one of "valid", "same", "any", received "vaild"; did you mean '
            '"valid"?',
        ),
        (
            'kernel_size = 3\nuse_bias = "no"',
            'use_bias: expected true or false or "any", received "no"',
        ),
        (
            "kernel_size = 3\nunits = 3",
            "units: unknown key. Known here: `weight`, `name`, `reads`, `optional`, `layer`, "
            "`filters`, `kernel_size`, ",
        ),
        ("kernel_size = 3\nstride = 3", "stride: unknown key; did you mean `strides`? "),
    ],
)
def test_an_attribute_of_a_convolution(written: str, told: str, problems: Problems) -> None:
    ((line, said),) = problems(f'layer = "Conv2D"\nfilters = 8\n{written}', FLAT, OUT)
    assert line == written.splitlines()[-1]
    assert said.startswith(f"layers[0].{told}")


@pytest.mark.parametrize(
    ("written", "place", "end"),
    [
        ('activation = "rely"', "activation", 'received "rely"; did you mean "relu"?'),
        (
            'activation = { one_of = ["relu", "elo"] }',
            "activation.one_of[1]",
            'received "elo"; did you mean "elu"?',
        ),
        (
            'activation = ["relu", "elu"]',
            "activation",
            'alternatives such as { one_of = ["relu", "elu"] } or "any", received ["relu", "elu"]',
        ),
    ],
)
def test_an_activation(written: str, place: str, end: str, problems: Problems) -> None:
    ((line, said),) = problems(f"{CONV}\n{written}", FLAT, OUT)
    assert line == written
    assert said.startswith(f"layers[0].{place}: expected one of ")
    assert said.endswith(end)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            'layer = "Conv2d"\nfilters = 3',
            'layers[0].layer: there is no layer "Conv2d"; did you mean "Conv2D"?',
        ),
        (
            'layer = "BatchNorm"',
            'layers[0].layer: there is no layer "BatchNorm"; did you mean "BatchNormalization"?',
        ),
        ('layer = "anyof"', 'layers[0].layer: there is no layer "anyof"; did you mean "any_of"?'),
        ('layer = "qqq"', 'layers[0].layer: there is no layer "qqq". There are: Activation, Add, '),
        (
            "units = 3",
            "layers[0]: the key `layer` is missing; expected a table with the key `layer`, such "
            'as { layer = "Activation" }',
        ),
        (
            'layer = "Dropout"',
            "layers[0].rate: this key is missing; expected a number of at least 0 and below 1, a "
            'range { min = …, max = … } or "any"',
        ),
    ],
)
def test_a_kind_of_layer(written: str, told: str, problems: Problems) -> None:
    ((_, said),) = problems(written, FLAT, OUT)
    assert said.startswith(told)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            'layer = "repeat"\nmin = 4\nmax = 2\nlayers = [{ layer = "Flatten" }]',
            "layers[0]: `min` must not be above `max`",
        ),
        (
            'layer = "repeat"\nmax = 2\nlayers = [{ layer = "Flaten" }]',
            'layers[0].layers[0].layer: there is no layer "Flaten"; did you mean "Flatten"?',
        ),
        (
            'layer = "any_of"\nchoices = [[{ layer = "Flatten" }]]',
            "layers[0].choices: expected a list of at least two: non-empty lists of tables with "
            'the key `layer`, such as { layer = "Activation" }, received '
            '[[{ layer = "Flatten" }]]',
        ),
        (
            'layer = "any_of"\nchoices = [[], [{ layer = "Flatten" }]]',
            "layers[0].choices[0]: expected a non-empty list of tables with the key `layer`, such "
            'as { layer = "Activation" }, received []',
        ),
    ],
)
def test_a_block(written: str, told: str, problems: Problems) -> None:
    assert [said for _, said in problems(written, OUT)] == [told]


# --- names, expressions, alternatives -----------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "line", "told"),
    [
        (
            (CONV, FLAT, 'layer = "Dense"\nunits = "num_action"'),
            'units = "num_action"',
            'layers[2].units: the builder has no argument "num_action"; did you mean '
            '"num_actions"? There are: num_actions.',
        ),
        (
            (CONV, FLAT, 'layer = "Dense"\nunits = "num_actions - 2"'),
            'units = "num_actions - 2"',
            'layers[2].units: "num_actions - 2" is 0 for num_actions = 2; it must be at least 1',
        ),
        (
            (CONV, FLAT, 'layer = "Dense"\nunits = "8 / 2"'),
            'units = "8 / 2"',
            'layers[2].units: "8 / 2" has no value: this is no arithmetic with whole numbers; '
            'expected a whole number, or arithmetic such as "2 * num_actions"',
        ),
        (
            (f'{CONV}\nname = "front"', f'{FLAT}\nreads = ["frnt"]', OUT),
            'reads = ["frnt"]',
            'layers[1].reads[0]: nothing before this place is named "frnt"; did you mean '
            '"front"? There are: "front", "input".',
        ),
        (
            (CONV, 'layer = "Add"', FLAT, OUT),
            "[[parts.network.settings.layers]]",
            "layers[1]: Add brings several layers together; give them a `name`, and name them "
            'here, such as reads = ["left", "right"]',
        ),
        (
            (f'{CONV}\nname = "a"', f'{FLAT}\nreads = ["a", "input"]', OUT),
            'reads = ["a", "input"]',
            "layers[1].reads: Flatten reads one layer, and this names 2; merge them before, with "
            "an entry such as Concatenate",
        ),
        (
            (f'{CONV}\nname = "a"', FLAT, f'{FLAT}\nreads = ["a"]', OUT),
            "[[parts.network.settings.layers]]",
            "layers[1]: what this Flatten gives leads to no output; name it in the `reads` of an "
            "entry further down, or in `outputs`, or leave it out",
        ),
        (
            (
                'layer = "any_of"\nchoices = [[{ layer = "Flatten", name = "a" }],'
                ' [{ layer = "Flatten" }]]',
                'layer = "Dense"\nunits = 3\nreads = ["a"]',
            ),
            'reads = ["a"]',
            'layers[1].reads[0]: "a" is there with some alternatives only; give an entry of each '
            "of them this name",
        ),
        (
            (
                *('layer = "repeat"\nmax = 9\nlayers = [{ layer = "Dense", units = 3 }]',) * 2,
                FLAT,
                OUT,
            ),
            "[[parts.network.settings.layers]]",
            "layers: alternatives and repeats allow 81 networks, and 64 are the most; use fewer "
            "`choices`, a smaller `max`, or `optional = true` for a single layer",
        ),
    ],
)
def test_what_is_named(layers: tuple[str, ...], line: str, told: str, problems: Problems) -> None:
    assert problems(*layers) == [(line, told)]


@pytest.mark.parametrize(
    ("settings", "line", "told"),
    [
        (
            f'{PICTURES}\noutputs = ["q"]',
            'outputs = ["q"]',
            'outputs[0]: nothing before this place is named "q". There are: "input".',
        ),
        (
            f'{PICTURES}\nforbidden = ["Dropuot"]',
            'forbidden = ["Dropuot"]',
            'forbidden[0]: there is no layer "Dropuot"; did you mean "Dropout"?',
        ),
        (
            f'{PICTURES}\nforbidden = ["Dropout", "Flatten"]',
            'forbidden = ["Dropout", "Flatten"]',
            "forbidden[1]: Flatten is asked for in layers[1]; it cannot be forbidden too",
        ),
        (
            f"{PICTURES}\nparameters = {{ max = 100 }}",
            "parameters = { max = 100 }",
            "parameters.max: the smallest network that is asked for has 1,236 parameters; allow "
            "as many",
        ),
        (
            f"{PICTURES}\nparameters = {{ min = 2000 }}",
            "parameters = { min = 2000 }",
            "parameters.min: the network that is asked for has 1,236 parameters; ask for no more",
        ),
        (
            f"{PICTURES}\noutput_shape = [3]",
            "output_shape = [3]",
            "output_shape: the layers give (4,), not (3,); change one of them, or leave this key "
            "out",
        ),
        (
            f"{PICTURES}\nparameters = 100",
            "parameters = 100",
            "parameters: expected a range { min = …, max = … }, received 100",
        ),
        (
            f'{PICTURES}\nreturns = "probabilites"',
            'returns = "probabilites"',
            'returns: expected one of "q_values", "probabilities", "numbers", received '
            '"probabilites"; did you mean "probabilities"?',
        ),
        (
            f'{PICTURES}\nreturns = "probabilities"',
            "[[parts.network.settings.layers]]",
            "layers[2].activation: the outputs are said to be probabilities, and linear gives "
            'none; use activation = "softmax", or set returns = "numbers"',
        ),
        (
            f"{PICTURES}\narguments = [{{ num_actions = 3 }}]",
            "arguments = [{ num_actions = 3 }]",
            "arguments: `arguments` and `num_actions` say the same; keep one of them",
        ),
        (
            "input_shapes = [[8, 8, 1]]\n"
            "arguments = [{ num_actions = 3 }, { num_actions = 3, a = 1 }]",
            "arguments = [{ num_actions = 3 }, { num_actions = 3, a = 1 }]",
            "arguments[1].a: the first call has no such argument; all need the same names",
        ),
        (
            "num_actions = [3]",
            "[parts.network.settings]",
            "parts.network.settings: `input_shapes` or `inputs` is missing, such as input_shapes "
            "= [[84, 84, 4]]",
        ),
        (
            "num_actions = [3]\ninputs = [{ shapes = [[8, 8, 1]] }, { shapes = [[8]] }]",
            "inputs = [{ shapes = [[8, 8, 1]] }, { shapes = [[8]] }]",
            "inputs[1].name: two inputs are named input; give each a name of its own",
        ),
        (
            "num_actions = [3]\n"
            'inputs = [{ shapes = [[8, 8, 1]] }, { name = "b", shapes = [[8]] }]',
            'inputs = [{ shapes = [[8, 8, 1]] }, { name = "b", shapes = [[8]] }]',
            'inputs[1]: no layer reads this input; name it in `reads`, as in reads = ["b"]',
        ),
    ],
)
def test_the_other_settings(settings: str, line: str, told: str, problems: Problems) -> None:
    assert problems(CONV, FLAT, OUT, settings=settings) == [(line, told)]


# --- layers that cannot follow each other -------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (
            (FLAT, CONV, OUT),
            "layers[1]: Conv2D needs (height, width, channels) and would read (64,); put it in "
            "front of what makes a vector, such as Flatten",
        ),
        (
            ('layer = "Conv1D"\nfilters = 8\nkernel_size = 3', FLAT, OUT),
            "layers[0]: Conv1D needs (steps, channels) and would read (8, 8, 1); did you mean "
            '"Conv2D"?',
        ),
        (
            ('layer = "Conv2D"\nfilters = 8\nkernel_size = 9', FLAT, OUT),
            "layers[0]: the kernel (9, 9) is larger than what it would read, (8, 8); make it "
            'smaller, shrink less before it, or pad with padding = "same"',
        ),
        (
            ('layer = "Conv2D"\nfilters = 8\nkernel_size = { one_of = [9, 11] }', FLAT, OUT),
            "layers[0]: the kernel (9, 9) is larger than what it would read, (8, 8); make it "
            'smaller, shrink less before it, or pad with padding = "same"',
        ),
        (
            (
                'layer = "repeat"\nmin = 2\nmax = 4\nlayers = [{ layer = "MaxPooling2D" }]',
                FLAT,
                OUT,
            ),
            "layers[0].layers[0]: the pool (2, 2) is larger than what it would read, (1, 1); make "
            'it smaller, shrink less before it, or pad with padding = "same"',
        ),
        (
            ('layer = "LSTM"\nunits = 8', OUT),
            "layers[0]: LSTM needs a sequence (steps, features) and would read (8, 8, 1); bring "
            "it into this form with Reshape",
        ),
        (
            (
                'layer = "Reshape"\ntarget_shape = [8, 8]',
                'layer = "GRU"\nunits = 8',
                'layer = "GRU"\nunits = 8',
                OUT,
            ),
            "layers[2]: GRU needs a sequence (steps, features) and would read (8,); a recurrent "
            "layer in front of it needs `return_sequences = true`",
        ),
        (
            ('layer = "Reshape"\ntarget_shape = [8, 9]', FLAT, OUT),
            "layers[0]: the shape (8, 9) does not hold the 64 numbers of (8, 8, 1)",
        ),
        (
            ('layer = "Permute"\ndims = [1, 2]', FLAT, OUT),
            "layers[0]: `dims` must name each of the axes 1 to 3 of (8, 8, 1) once",
        ),
        (
            (FLAT, FLAT, OUT),
            "layers[1]: what Flatten would read, (64,), is a vector already; leave it out",
        ),
        (
            (f'{CONV}\nname = "a"', 'layer = "Add"\nreads = ["a", "input"]', FLAT, OUT),
            "layers[1]: Add needs inputs of one shape and would read (6, 6, 8) and (8, 8, 1)",
        ),
        (
            (f'{CONV}\nname = "a"', 'layer = "Concatenate"\nreads = ["a", "input"]', FLAT, OUT),
            "layers[1]: Concatenate would read (6, 6, 8) and (8, 8, 1), which differ in more than "
            "axis -1",
        ),
        (
            (
                f'{FLAT}\nname = "f"',
                'layer = "Dense"\nunits = 4\nname = "v"',
                f'{OUT}\nreads = ["f"]\nname = "a"',
                'layer = "Dueling"\nreads = ["v", "a"]',
            ),
            "layers[3]: the value of a state is one number, and the first layer in `reads` gives "
            "4; name the value first, then the advantages",
        ),
        (
            (f"{CONV}\ngroups = 3", FLAT, OUT),
            "layers[0]: 3 groups cannot share 8 filters evenly",
        ),
        (
            (f"{CONV}\ngroups = 2", FLAT, OUT),
            "layers[0]: 2 groups cannot share 1 channels that it would read evenly",
        ),
        (
            (f"{CONV}\nstrides = 2\ndilation_rate = 2", FLAT, OUT),
            "layers[0]: Keras has no Conv2D with strides and a dilation rate above 1 at once; "
            "leave one of them out",
        ),
        (
            (f'{FLAT}\nname = "q"', f'{OUT}\nname = "q"'),
            'layers[1].name: the name "q" is taken by an input or by an entry before; give this '
            "one another",
        ),
        (
            (FLAT, 'layer = "Dropout"\nrate = { min = nan }', OUT),
            "layers[1].rate.min: expected an ordinary number, received nan",
        ),
        (
            (FLAT, 'layer = "Dropout"\nrate = { min = 1.5 }', OUT),
            "layers[1].rate: no number from 0 to less than 1 lies in this range",
        ),
        (
            ('layer = "anything"',),
            "layers: no layer must be there, so that there is nothing to give points for; add one "
            "without `optional = true`",
        ),
        (
            (f"{FLAT}\noptional = true", f"{OUT}\noptional = true"),
            "layers: no layer must be there, so that there is nothing to give points for; add one "
            "without `optional = true`",
        ),
        (
            ('layer = "MultiHeadAttention"\nnum_heads = 2\nkey_dim = 3', FLAT, OUT),
            "layers[0]: MultiHeadAttention reads query and value, and the key where it is "
            "another; for self-attention name the same layer twice, such as reads = "
            '["words", "words"]',
        ),
    ],
)
def test_layers_that_cannot_follow(layers: tuple[str, ...], told: str, problems: Problems) -> None:
    assert [said for _, said in problems(*layers)] == [told]


@pytest.mark.parametrize(
    "layers",
    [
        # An optional layer may make impossible what is possible without it.
        (
            'layer = "repeat"\nmax = 4\nlayers = [{ layer = "Conv2D", filters = 4, kernel_size ='
            ' 2 }, { layer = "MaxPooling2D", optional = true }]',
            FLAT,
            OUT,
        ),
        ('layer = "Conv2D"\nfilters = 8\nkernel_size = { one_of = [9, 3] }', FLAT, OUT),
        ('layer = "Conv2D"\nfilters = 8\nkernel_size = 9\npadding = "any"', FLAT, OUT),
        # Nobody knows what comes behind a place where everything is free.
        ('layer = "anything"', 'layer = "LSTM"\nunits = 3', OUT),
        (
            'layer = "Conv2D"\nfilters = { min = 4 }\nkernel_size = 1\nname = "a"',
            'layer = "Conv2D"\nfilters = { min = 8 }\nkernel_size = 1\nname = "b"',
            'layer = "Add"\nreads = ["a", "b"]',
            FLAT,
            OUT,
        ),
    ],
)
def test_what_may_be_possible_is_no_problem(layers: tuple[str, ...], problems: Problems) -> None:
    assert problems(*layers) == []


def test_fewer_parameters_may_come_from_what_is_left_open(problems: Problems) -> None:
    settings = f"{PICTURES}\nparameters = {{ max = 1000 }}"
    pool = 'layer = "MaxPooling2D"\noptional = true'
    assert problems(CONV, FLAT, OUT, settings=settings) != []
    assert problems(CONV, pool, FLAT, OUT, settings=settings) == []
    assert problems(f'{CONV}\nstrides = "any"', FLAT, OUT, settings=settings) == []
    assert problems(CONV, 'layer = "anything"', OUT, settings=settings) == []


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        (
            'inputs = [{ shapes = [[6]], range = [0, "words"], whole_numbers = true }]',
            "inputs[0].range: the largest number, 9, is not in the Embedding: its 9 rows are "
            'numbered from 0 to 8; write "words - 1"',
        ),
        (
            'inputs = [{ shapes = [[6]], range = [0, "words - 1"] }]',
            "inputs[0]: an Embedding looks up whole numbers; describe the input with `inputs`, "
            "and set `whole_numbers = true`",
        ),
        (
            "inputs = [{ shapes = [[6]], range = [5, 2], whole_numbers = true }]",
            "inputs[0].range: the smallest value, 5, is above the largest, 2",
        ),
        (
            'inputs = [{ shapes = [[6]], range = [0, "wards - 1"], whole_numbers = true }]',
            'inputs[0].range[1]: the builder has no argument "wards"; did you mean "words"? There '
            "are: words, classes.",
        ),
    ],
)
def test_numbers_of_words(inputs: str, told: str, problems: Problems) -> None:
    first, _, last = WORDS.splitlines()
    settings = "\n".join((first, inputs, last))
    assert problems(VECTORS, MEAN, CLASSES, settings=settings) == [(inputs, told)]


def test_mistakes_in_several_layers_are_told_at_once(problems: Problems) -> None:
    found = problems(
        f'{CONV}\nname = "front"',
        f'{FLAT}\nreads = ["frnt"]',
        'layer = "Dense"\nunits = "num_action"',
        settings=f'{PICTURES}\noutputs = ["q"]\nforbidden = ["Dropuot"]',
    )
    assert [said.partition(":")[0] for _, said in found] == [
        "outputs[0]", "forbidden[0]", "layers[1].reads[0]", "layers[2].units",
    ]  # fmt: skip


VALUES = (
    "1", "-1", "0.5", "true", '"x"', '"any"', '"words"', "[]", "[1]", "[1, 2]", "{}", "{ min = 2 }",
    "{ one_of = [1, 2] }", "{ one_of = [] }", "[[1]]", "nan", "1979-05-27", '["x"]', "[{}]",
    '"Flatten"', '"LSTM"', '"Add"', '"repeat"', '"num_actions"', "9" * 30,
)  # fmt: skip
NETWORKS = [
    name
    for name in builtin_ids()
    if set(load_assignment(name, with_baselines=False).assignment.parts) == {"network"}
]


@pytest.mark.parametrize("name", NETWORKS)
def test_whatever_is_wrong_is_told_in_words_of_the_file(name: str, tmp_path: Path) -> None:
    source = load_assignment(name).path.read_text(encoding="utf-8").splitlines()
    begin = source.index("[parts.network.settings]")
    places = [i for i, line in enumerate(source) if " = " in line and i > begin]
    path = tmp_path / "assignment.toml"
    for seed in range(40):
        chosen = random.Random(seed)
        lines = list(source)
        for place in chosen.sample(places, 2):
            lines[place] = f"{lines[place].partition(' = ')[0]} = {chosen.choice(VALUES)}"
        path.write_text("\n".join(lines), encoding="utf-8")
        try:
            load_assignment(str(path))
        except AssignmentError as error:
            for problem in error.problems:
                assert problem.startswith("assignment.toml:")
                assert "Input should" not in problem
                assert "another value" not in problem
