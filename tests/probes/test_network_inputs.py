"""Networks with several inputs and outputs, of words, in half precision, and inside objects."""

import numpy as np
import pytest

from grader.probes.network_inputs import accepted_shapes, input_candidates
from grader.records.network_evidence import ProofMethod
from grader.records.network_settings import NetworkSettings

TWO = {
    "inputs": [
        {"name": "position", "shapes": [[6]], "range": [-1.0, 1.0]},
        {"name": "words", "shapes": [[5]], "range": [0, 40], "whole_numbers": True, "padded": True},
    ],
    "num_actions": [3],
    "layers": [{"layer": "Dense", "units": "num_actions"}],
}
ONE = {
    "input_shapes": [[12, 12, 2], [2, 12, 12]],
    "num_actions": [3],
    "layers": [{"layer": "Dense", "units": "num_actions"}],
}
HEAD = """
from pathlib import Path
import keras
import numpy as np
import tensorflow as tf
from keras import layers

"""

# --- inputs -------------------------------------------------------------------------------------


def _inputs(settings, **arguments):
    return list(input_candidates(NetworkSettings.parse(settings), arguments, ((2,),)))


def test_inputs_are_drawn_as_the_assignment_says():
    ((choice, inputs),) = _inputs(TWO, num_actions=3)
    position, words, extra = inputs.draw(7, 50)
    assert choice == (0, 0)
    assert (position.dtype, words.dtype) == (np.float32, np.int32)
    assert (position.shape, words.shape, extra.shape) == ((50, 6), (50, 5), (50, 2))
    assert -1 <= position.min() < -0.9 < 0.9 < position.max() <= 1
    assert words.max() == 40
    assert (extra == 1).all()
    again = inputs.draw(7, 50)
    assert all(np.array_equal(a, b) for a, b in zip(inputs.draw(7, 50), again, strict=True))
    assert not np.array_equal(inputs.draw(8, 50)[0], position)


def test_padded_sequences_end_in_zeros_and_nowhere_else_have_any():
    words = _inputs(TWO)[0][1].draw(7, 50)[1]
    lengths = (words != 0).sum(axis=1)
    assert lengths[0] == 5
    assert set(lengths) == {1, 2, 3, 4, 5}
    assert all((row[:length] > 0).all() for row, length in zip(words, lengths, strict=True))


def test_all_accepted_shapes_are_tried_in_order():
    found = [inputs.shapes for _, inputs in _inputs(ONE)]
    assert found == [((12, 12, 2),), ((2, 12, 12),)]


def test_shapes_may_depend_on_the_arguments():
    settings = NetworkSettings.parse(
        {
            "inputs": [{"shapes": [["2 * units", 3]], "range": [0, "units"]}],
            "arguments": [{"units": 4}],
            "layers": [{"layer": "Dense", "units": "units"}],
        }
    )
    assert accepted_shapes(settings, {"units": 4}) == (((8, 3),),)
    ((_, inputs),) = input_candidates(settings, {"units": 4}, ())
    assert 3.9 < inputs.draw(1, 100)[0].max() <= 4


# --- networks -----------------------------------------------------------------------------------

FUNCTIONAL = """
def create_q_model(num_actions):
    position, words = keras.Input((6,), name="position"), keras.Input((5,), name="words")
    x = layers.LSTM(4)(layers.Embedding(41, 8, mask_zero=True)(words))
    x = layers.Concatenate()([layers.Dense(8, activation="relu")(position), x])
    q, value = layers.Dense(num_actions)(x), layers.Dense(1)(x)
    return keras.Model(INPUTS, OUTPUTS)
"""
SUBCLASSED = """
class Net(keras.Model):
    def __init__(self, num_actions):
        super().__init__()
        self.words = layers.Embedding(41, 8, mask_zero=True)
        self.memory = layers.LSTM(4)
        self.hidden = layers.Dense(8, activation="relu")
        self.q, self.value = layers.Dense(num_actions), layers.Dense(1)

    def call(self, ARGUMENTS):
        UNPACK
        x = tf.concat([self.hidden(position), self.memory(self.words(words))], axis=-1)
        return self.q(x), self.value(x)


def create_q_model(num_actions):
    return Net(num_actions)
"""
STYLES = {
    "list": FUNCTIONAL.replace("INPUTS", "[position, words]").replace("OUTPUTS", "[q, value]"),
    "other order": FUNCTIONAL.replace("INPUTS", "[words, position]").replace(
        "OUTPUTS", "[q, value]"
    ),
    "names": FUNCTIONAL.replace("INPUTS", "{'words': words, 'position': position}").replace(
        "OUTPUTS", "{'a': q, 'b': value}"
    ),
    "arguments": SUBCLASSED.replace("ARGUMENTS", "position, words").replace("UNPACK", "pass"),
    "subclass with a list": SUBCLASSED.replace("ARGUMENTS", "inputs").replace(
        "UNPACK", "position, words = inputs"
    ),
    "subclass with names": SUBCLASSED.replace("ARGUMENTS", "inputs").replace(
        "UNPACK", "position, words = inputs['position'], inputs['words']"
    ),
}


@pytest.fixture(scope="module")
def collect(probe):
    return lambda source, settings: probe("network", HEAD + source, settings=settings)


@pytest.mark.parametrize("style", STYLES)
def test_several_inputs_and_outputs_are_proven(collect, style):
    evidence = collect(STYLES[style], TWO)
    assert evidence.input_shapes == ((6,), (5,))
    assert evidence.builds[0].output_shapes == ((2, 3), (2, 1))
    assert evidence.builds[0].output_shape == (2, 3)
    assert evidence.graph.input_shapes == ((6,), (5,))
    assert [evidence.graph.nodes[n].output_shape for n in evidence.graph.outputs] == [(3,), (1,)]
    assert evidence.behaviour.outputs.shape == (4, 3)
    assert [array.shape for array in evidence.behaviour.further_outputs] == [(4, 1)]
    assert evidence.behaviour.repeat_difference == 0
    assert evidence.proof.method is ProofMethod.REBUILT, evidence.proof


@pytest.mark.parametrize(
    "change",
    [
        ("self.value(x)\n", "self.value(x) + tf.sin(x[:, :1])\n"),
        ("self.value(x)\n", "self.value(x) * (1.0 if len(x) > 1 else 2.0)\n"),
    ],
)
def test_every_output_is_compared(collect, change):
    source = STYLES["arguments"].replace(*change)
    assert collect(source, TWO).proof.method is ProofMethod.NONE


def test_too_few_inputs_are_refused_with_the_reason(collect):
    source = """
def create_q_model(num_actions):
    return keras.Sequential([keras.Input((6,)), layers.Dense(num_actions)])
"""
    evidence = collect(source, TWO)
    assert evidence.input_shape is None
    assert len(evidence.rejected_inputs) == 1


IMAGE = """
def body():
    return [layers.Conv2D(4, 4, strides=2, activation="relu"), layers.Flatten()]


"""
MASKED = (
    IMAGE
    + """
def create_q_model(num_actions):
    frames, mask = keras.Input((12, 12, 2), name="frames"), keras.Input((num_actions,), name="mask")
    x = frames
    for layer in body():
        x = layer(x)
    return keras.Model([frames, mask], layers.Multiply()([layers.Dense(num_actions)(x), mask]))
"""
)


def test_an_input_that_was_not_asked_for_is_told_and_the_rest_is_read(collect):
    evidence = collect(MASKED, ONE)
    assert evidence.extra_inputs == ((3,),)
    assert evidence.input_shapes == ((12, 12, 2),)
    assert [node.kind for node in evidence.graph.nodes] == [
        "Conv2D", "Flatten", "Dense", "Multiply",
    ]  # fmt: skip
    assert evidence.proof.method is ProofMethod.REBUILT


MODEL = "keras.Sequential([keras.Input((12, 12, 2)), *body(), layers.Dense(num_actions)])"


@pytest.mark.parametrize(("place", "line"), [(".q_network", "q_network"), (".inside", "inside")])
def test_a_model_inside_an_object_is_found_and_told(collect, place, line):
    source = f"""{IMAGE}
class Agent:
    def __init__(self, num_actions):
        self.{line} = {MODEL}

    def predict(self, x):
        return self.{line}.predict(x)


def create_q_model(num_actions):
    return Agent(num_actions)
"""
    evidence = collect(source, ONE)
    build = evidence.builds[0]
    assert (build.returned, build.is_model, build.wrapper) == ("work.Agent", True, place)
    assert evidence.proof.method is ProofMethod.REBUILT


@pytest.mark.parametrize(
    "returned",
    ["{'model': 3}", "np.zeros(3)", "object()", "Path('.')", "lambda x: x", "keras.Model",
     "keras.callbacks.History()", "[keras.Sequential()]"],
)  # fmt: skip
def test_what_holds_no_model_is_none(collect, returned):
    evidence = collect(f"def create_q_model(num_actions):\n    return {returned}\n", ONE)
    assert (evidence.builds[0].is_model, evidence.builds[0].wrapper) == (False, "")


def test_a_property_that_raises_is_no_fault(collect):
    source = """
class Agent:
    def __init__(self):
        self.x = 1

    @property
    def model(self):
        raise RuntimeError("not yet")


def create_q_model(num_actions):
    return Agent()
"""
    assert collect(source, ONE).builds[0].is_model is False


def test_half_precision_is_compared_with_the_tolerance_of_half_precision(collect):
    source = f"""{IMAGE}
keras.mixed_precision.set_global_policy("mixed_float16")


def create_q_model(num_actions):
    return {MODEL}
"""
    proof = collect(source, ONE).proof
    assert proof.method is ProofMethod.REBUILT
    assert proof.tolerance == 8 * 2.0**-11


def test_channels_first_is_read_where_it_could_not_be_computed(collect):
    source = """
def create_q_model(num_actions):
    return keras.Sequential([
        keras.Input((2, 12, 12)),
        layers.Conv2D(4, 4, strides=2, activation="relu", data_format="channels_first"),
        layers.Flatten(), layers.Dense(num_actions)])
"""
    evidence = collect(source, ONE)
    assert evidence.input_shape == (2, 12, 12)
    assert evidence.graph.nodes[0].config["data_format"] == "channels_first"
    assert evidence.proof.method is ProofMethod.REBUILT


SAVED = f"""{IMAGE}
HERE = Path(__file__).parent
num_actions = 3
{MODEL}.save(HERE / "NAME")


def create_q_model(num_actions):
    return keras.models.load_model(HERE / "NAME")
"""


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_model_that_the_builder_loads_is_proven(collect, name):
    evidence = collect(SAVED.replace("NAME", name), ONE)
    assert [node.kind for node in evidence.graph.nodes] == ["Conv2D", "Flatten", "Dense"]
    assert evidence.proof.method is ProofMethod.REBUILT


def test_the_builder_is_called_with_all_arguments(collect):
    settings = {
        "inputs": [{"shapes": [["features"]]}],
        "arguments": [{"features": 6, "name": "a", "bias": True},
                      {"features": 4, "name": "b", "bias": False}],
        "layers": [{"layer": "Dense", "units": 2}],
    }  # fmt: skip
    source = """
def create_q_model(features, name, bias):
    return keras.Sequential([keras.Input((features,)), layers.Dense(2, use_bias=bias, name=name)])
"""
    evidence = collect(source, settings)
    assert [build.arguments for build in evidence.builds] == settings["arguments"]
    assert [build.output_shape for build in evidence.builds] == [(2, 2), (2, 2)]
    assert evidence.graph.nodes[0].name == "a"
    assert evidence.proof.method is ProofMethod.REBUILT
