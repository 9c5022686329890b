import numpy as np
import pytest

from grader.probes.network_agreement import varies
from grader.records.incident import IncidentKind, LimitName
from grader.records.network_evidence import NodeSource, ProofMethod
from grader.records.spec import Limits

SETTINGS = {
    "input_shapes": [[12, 12, 2], [2, 12, 12]],
    "num_actions": [3, 5],
    "layers": [
        {"layer": "Conv2D", "filters": 4, "kernel_size": [4, 4], "strides": [2, 2],
         "activation": "relu"},
        {"layer": "Conv2D", "filters": 6, "kernel_size": [3, 3], "activation": "relu"},
        {"layer": "Flatten"},
        {"layer": "Dense", "units": 16, "activation": "relu"},
        {"layer": "Dense", "units": "num_actions"},
    ],
}  # fmt: skip
HEAD = """
import os
import time
import numpy as np
import keras
import tensorflow as tf
from keras import layers
"""
KINDS = ["Conv2D", "Conv2D", "Flatten", "Dense", "Dense"]


def model(body: str) -> str:
    """A module whose builder has this body."""
    return HEAD + "def create_q_model(num_actions):\n    " + body.strip().replace("\n", "\n    ")


STACK = """[
    layers.Conv2D(4, 4, strides=2, activation="relu"), layers.Conv2D(6, 3, activation="relu"),
    layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dense(num_actions),
]"""
SEQUENTIAL = model(f"return keras.Sequential([keras.Input((12, 12, 2)), *{STACK}])")
UNBUILT = model(f"return keras.Sequential({STACK})")
FUNCTIONAL = model(f"""
x = inputs = keras.Input((12, 12, 2))
for layer in {STACK}:
    x = layer(x)
return keras.Model(inputs, x)
""")
SUBCLASSED = model(f"""
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stack = {STACK}
    def call(self, x):
        for layer in self.stack:
            x = layer(x)
        return x
return Net()
""")
NESTED = model(f"""
stack = {STACK}
inner = keras.Sequential(stack[:2])
outer = keras.Sequential([keras.Input((12, 12, 2)), inner, keras.Sequential(stack[2:])])
return outer
""")
LAMBDA = SEQUENTIAL.replace("(12, 12, 2)),", "(12, 12, 2)), layers.Lambda(lambda x: x / 255.0),")
TF_RELU = model(
    f"""
stack = {STACK.replace('activation="relu"', "")}
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stack = stack
    def call(self, x):
        x = tf.nn.relu(self.stack[0](x))
        x = tf.nn.relu(self.stack[1](x))
        x = tf.nn.relu(self.stack[3](self.stack[2](x)))
        return self.stack[4](x)
return Net()
""".replace(", )", ")")
    .replace("strides=2, ", "strides=2")
    .replace("(6, 3, )", "(6, 3)")
)
RAW = model("""
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        shapes = [(4, 4, 2, 4), (4,), (3, 3, 4, 6), (6,), (54, 16), (16,), (16, num_actions),
                  (num_actions,)]
        self.own = [self.add_weight(shape=s, initializer="glorot_uniform" if len(s) > 1
                                    else "zeros", name=f"w{i}") for i, s in enumerate(shapes)]
    def call(self, x):
        w = self.own
        x = tf.nn.relu(tf.nn.conv2d(x, w[0], 2, "VALID") + w[1])
        x = tf.nn.relu(tf.nn.conv2d(x, w[2], 1, "VALID") + w[3])
        x = tf.reshape(x, (-1, 54))
        return tf.nn.relu(x @ w[4] + w[5]) @ w[6] + w[7]
return Net()
""")
RAW_SCALED = RAW.replace("w = self.own", "w, x = self.own, x / 255.0")
RAW_FIRST = RAW.replace("w = self.own", "w, x = self.own, tf.transpose(x, [0, 2, 3, 1])").replace(
    "super().__init__()", "super().__init__()\n            assert True"
)


@pytest.fixture(scope="module")
def collect(probe):
    def run(source, **options):
        settings = SETTINGS | options.pop("settings", {})
        return probe("network", source, settings=settings, **options)

    return run


def method(evidence):
    return evidence.proof.method


# --- proofs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [SEQUENTIAL, UNBUILT, FUNCTIONAL, SUBCLASSED, NESTED, LAMBDA, TF_RELU],
    ids=["Sequential", "unbuilt", "functional", "subclassed", "nested", "Lambda", "tf.nn.relu"],
)
def test_every_style_of_writing_a_network_is_proven_by_rebuilding(collect, source):
    evidence = collect(source)
    assert method(evidence) is ProofMethod.REBUILT
    assert evidence.proof.difference <= evidence.proof.tolerance
    kinds = [node.kind for node in evidence.graph.nodes if node.source is NodeSource.LAYER]
    assert kinds == KINDS
    assert evidence.input_shape == (12, 12, 2)
    assert [build.output_shape for build in evidence.builds] == [(2, 3), (2, 5)]
    assert all(build.is_model and build.incident is None for build in evidence.builds)
    behaviour = evidence.behaviour
    assert behaviour.outputs.shape == (4, 3)
    assert behaviour.repeat_difference == 0.0
    assert behaviour.single_difference <= 1e-4 * behaviour.magnitude


@pytest.mark.parametrize("source", [RAW, RAW_SCALED], ids=["raw", "scaled"])
def test_a_network_of_raw_operations_is_proven_by_transplanting(collect, source):
    evidence = collect(source)
    assert method(evidence) is ProofMethod.TRANSPLANTED
    assert evidence.proof.difference <= evidence.proof.tolerance


def test_a_network_of_raw_operations_that_takes_channels_first_is_proven_too(collect):
    evidence = collect(RAW_FIRST)
    assert evidence.input_shape == (2, 12, 12)
    assert len(evidence.rejected_inputs) == 1
    assert method(evidence) is ProofMethod.TRANSPLANTED


IGNORED_KERNEL = (
    SEQUENTIAL.replace(
        "def create_q_model",
        """class Conv2D(layers.Conv2D):
    def call(self, inputs):
        rows = (inputs.shape[1] - self.kernel_size[0]) // self.strides[0] + 1
        return tf.repeat(inputs[:, :rows, :rows, :1], self.filters, axis=-1)

def create_q_model""",
    )
    .replace("layers.Conv2D(4", "Conv2D(4")
    .replace("layers.Conv2D(6", "Conv2D(6")
)
NAMED_LIKE_KERAS = IGNORED_KERNEL.replace(
    "def create_q_model", "Conv2D.__module__ = layers.Conv2D.__module__\ndef create_q_model"
)
HARD_CODED = SUBCLASSED.replace(
    "for layer in self.stack:",
    "total = tf.reduce_sum(x, axis=[1, 2, 3])\n            return tf.stack("
    "[tf.sin(total * (i + 1)) for i in range(num_actions)], axis=1)\n            for layer in []:",
)
DECORATION = SUBCLASSED.replace(
    "for layer in self.stack:",
    "y = x\n            for layer in self.stack:\n                y = layer(y)\n"
    "            x = tf.reduce_sum(x, axis=[1, 2, 3])[:, None]\n"
    "            return tf.sin(x * tf.range(1.0, num_actions + 1.0))\n"
    "            for layer in []:",
)
# Keras calls a new model once with symbols; only calls with numbers are counted.
COUNTED = "self.calls = getattr(self, 'calls', -1) + int(tf.executing_eagerly())\n            "
AFTER = SUBCLASSED.replace(
    "for layer in self.stack:",
    f"{COUNTED}if self.calls >= CALLS:\n"
    "                x = tf.reduce_sum(x, axis=[1, 2, 3])[:, None]\n"
    "                return tf.sin(x * tf.range(1.0, num_actions + 1.0))\n"
    "            for layer in self.stack:",
)
CACHED = SUBCLASSED.replace(
    "for layer in self.stack:",
    "if hasattr(self, 'answer') and tf.executing_eagerly():\n"
    "                return self.answer[:1] + tf.zeros((len(x), 1))\n"
    "            for layer in self.stack:",
).replace(
    "            return x\n",
    "            if tf.executing_eagerly():\n"
    "                self.answer = x\n"
    "            return x\n",
)
FORGED = """
import grader.worker.session as session
from grader.worker import models
def forged(s, request):
    shape = request["inputs"].shape
    other = keras.Sequential([keras.Input((12, 12, 2)), *stack])
    return models.describe(other, request["inputs"])
session.STUDENT_HANDLERS["describe"] = forged
num_actions = 3
stack = STACK
""".replace("STACK", STACK)
FORGED_GRAPH = HARD_CODED + FORGED
# Every claim fits a network that answers 0, if the claimed weights are 0.
FORGED_ZERO = (
    model("return keras.Sequential([keras.Input((12, 12, 2)), layers.Flatten(),"
          " layers.Dense(num_actions, kernel_initializer='zeros')])")
    + FORGED.replace("layers.Dense(num_actions)",
                     "layers.Dense(num_actions, kernel_initializer='zeros')")
)  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        IGNORED_KERNEL, NAMED_LIKE_KERAS, HARD_CODED, DECORATION,
        *(AFTER.replace("CALLS", str(calls)) for calls in (1, 2)), CACHED,
        FORGED_GRAPH, FORGED_ZERO,
    ],
    ids=[
        "ignored kernel", "name of Keras", "hard-coded", "decoration", "after the first call",
        "after the second call", "cached", "forged", "forged zeros",
    ],
)  # fmt: skip
def test_a_disguise_is_not_proven(collect, source):
    evidence = collect(source)
    assert evidence.builds[0].is_model
    assert method(evidence) is ProofMethod.NONE
    assert evidence.proof.reason


ZEROS = SEQUENTIAL.replace("num_actions)", "num_actions, kernel_initializer='zeros')")
DEAD = SEQUENTIAL.replace(
    "num_actions)",
    "num_actions, activation='relu', bias_initializer=keras.initializers.Constant(-1e6))",
)
SATURATED = SEQUENTIAL.replace(
    "layers.Dense(num_actions)", "layers.Dense(num_actions, activation='softmax')"
).replace(
    "layers.Dense(16", "layers.Dense(16, bias_initializer=keras.initializers.Constant(1e4)"
)  # fmt: skip


def test_outputs_that_never_vary_are_proven_with_other_weights(collect):
    zeros = collect(ZEROS)
    assert np.ptp(zeros.behaviour.outputs.array()) == 0
    assert method(zeros) is ProofMethod.TRANSPLANTED
    for source in (DEAD, SATURATED):
        evidence = collect(source)
        assert np.ptp(evidence.behaviour.outputs.array(), axis=0).max() <= 1e-6
        assert method(evidence) is ProofMethod.REBUILT
        assert [n.kind for n in evidence.graph.nodes if n.layer is not None] == KINDS


def test_outputs_that_are_not_finite_prove_nothing(collect):
    evidence = collect(
        SEQUENTIAL.replace("num_actions),", "num_actions), layers.Lambda(tf.math.log),")
    )
    assert not np.isfinite(evidence.behaviour.outputs.array()).all()
    assert method(evidence) is ProofMethod.NONE
    assert evidence.proof.difference is None


def test_layers_that_are_never_called_are_named(collect):
    evidence = collect(HARD_CODED)
    assert len(evidence.graph.unused_layers) == 5


# --- building and asking ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "returned"),
    [
        ("pass", "NoneType"),
        ("return keras.Sequential", "type"),
        ("return [layers.Dense(3)]", "list"),
        ("return 3", "int"),
        ("return keras.Input((3,))", "keras.src.backend.common.keras_tensor.KerasTensor"),
    ],
)
def test_what_is_no_model_is_told_by_its_type(collect, body, returned):
    evidence = collect(model(body))
    assert [(b.is_model, b.returned, b.incident) for b in evidence.builds] == [
        (False, returned, None)
    ] * 2
    assert (evidence.graph, evidence.proof, evidence.behaviour) == (None, None, None)


def test_the_second_accepted_shape_is_tried_when_the_first_is_refused(collect):
    source = SEQUENTIAL.replace("(12, 12, 2)),", "(2, 12, 12)), layers.Permute((2, 3, 1)),")
    evidence = collect(source)
    assert evidence.input_shape == (2, 12, 12)
    assert [incident.kind for incident in evidence.rejected_inputs] == [IncidentKind.RAISED]
    assert method(evidence) is ProofMethod.REBUILT


def test_a_network_that_takes_no_accepted_shape_says_why_for_each(collect):
    evidence = collect(SEQUENTIAL.replace("(12, 12, 2)", "(9, 9, 1)"))
    assert evidence.input_shape is None
    assert len(evidence.rejected_inputs) == 2
    assert (evidence.graph, evidence.proof) == (None, None)


def test_a_first_builder_call_without_a_model_does_not_hide_why_the_second_is_refused(collect):
    evidence = collect(
        SEQUENTIAL.replace("(12, 12, 2)", "(9, 9, 1)").replace(
            "    return", "    if num_actions == 3:\n        return None\n    return"
        )
    )
    assert [build.is_model for build in evidence.builds] == [False, True]
    assert len(evidence.rejected_inputs) == 2


def test_a_builder_that_raises_is_told_for_each_number_of_actions(collect):
    evidence = collect(model("return [][num_actions]"))
    assert [b.incident.error_type for b in evidence.builds] == ["IndexError"] * 2
    assert "num_actions=5" in evidence.builds[1].incident.stage


def test_a_builder_may_fail_for_one_number_of_actions_only(collect):
    evidence = collect(SEQUENTIAL.replace("    return", "    assert num_actions == 3\n    return"))
    assert [build.incident is None for build in evidence.builds] == [True, False]
    assert method(evidence) is ProofMethod.REBUILT


@pytest.mark.parametrize(
    ("deed", "kind", "limit", "calls"),
    [
        ("while True: pass", IncidentKind.LIMIT, LimitName.CALL_CPU, 2),
        *(("os._exit(0)", IncidentKind.EXITED, None, calls) for calls in (0, 1, 2, 4)),
    ],
)
def test_an_end_of_the_process_is_told_where_it_happened(collect, deed, kind, limit, calls):
    source = SUBCLASSED.replace(
        "for layer in self.stack:",
        f"{COUNTED}if self.calls == {calls}:\n                {deed}\n"
        "            for layer in self.stack:",
    )
    evidence = collect(source, limits=Limits(call_wall_s=10, call_cpu_s=2))
    told = (
        evidence.builds[0].incident,
        evidence.graph_incident,
        evidence.behaviour and evidence.behaviour.incident,
    )[min(calls, 2)]
    assert (told.kind, told.limit) == (kind, limit)
    assert evidence.proof is None or method(evidence) is ProofMethod.NONE


def test_a_forward_pass_that_raises_later_is_told_and_proves_nothing(collect):
    source = SUBCLASSED.replace(
        "for layer in self.stack:",
        f"{COUNTED}if self.calls >= 2:\n                raise ValueError('enough')\n"
        "            for layer in self.stack:",
    )
    evidence = collect(source)
    assert evidence.behaviour.incident.error_type == "ValueError"
    assert evidence.graph is not None
    assert method(evidence) is ProofMethod.NONE


@pytest.mark.parametrize(
    "answer",
    ["x[:, 0, 0, 0]", "tf.reduce_sum(x)", "tf.cast(x > 0, tf.bool)", "tf.strings.as_string(x)",
     "[x, x]", "{'q': x}", "tf.zeros((8, 3)) if len(x) > 1 else tf.constant(1.0)",
     "tf.zeros((0, 3))", "tf.complex(x, x)", "None", "'text'"],
)  # fmt: skip
def test_outputs_of_any_form_are_no_fault(collect, answer):
    evidence = collect(
        model(f"""
class Net(keras.Model):
    def call(self, x):
        return {answer}
return Net()
""")
    )
    assert len(evidence.builds) == 2
    assert evidence.proof is None or method(evidence) is not ProofMethod.TRANSPLANTED


def test_outputs_that_change_are_measured(collect):
    noise = SUBCLASSED.replace("return x\n", "return x + tf.random.normal(tf.shape(x))\n")
    assert collect(noise).behaviour.repeat_difference > 0.1
    batch = SUBCLASSED.replace("return x\n", "return x - tf.reduce_mean(x, axis=0)\n")
    behaviour = collect(batch).behaviour
    assert behaviour.repeat_difference == 0.0
    assert behaviour.single_difference > 0.1


# --- forged descriptions ------------------------------------------------------------------------

NODE = (
    "{'index': 0, 'source': 'layer', 'kind': 'Dense', 'name': 'd', 'config': {}, 'inputs': [-1],"
    " 'output_shape': [3], 'parameters': 0, 'weights': [], 'layer': 0}"
)
GRAPH = "{'nodes': [NODE], 'outputs': [0], 'input_shapes': [[12, 12, 2]], 'parameters': 0}"


@pytest.mark.parametrize(
    "graph",
    [
        "None",
        "3",
        "{}",
        GRAPH.replace("'outputs': [0]", "'outputs': []"),
        GRAPH.replace("'outputs': [0]", "'outputs': [7]"),
        GRAPH.replace("'outputs': [0]", "'outputs': [-2]"),
        GRAPH.replace("NODE", NODE.replace("[-1]", "[0]")),
        GRAPH.replace("NODE", NODE.replace("[-1]", "[5]")),
        GRAPH.replace("NODE", NODE.replace("'index': 0", "'index': 4")),
        GRAPH.replace("NODE", NODE.replace("'weights': []", "'weights': [0]")),
        GRAPH.replace("NODE", NODE.replace("'output_shape': [3]", "'output_shape': [-3]")),
        GRAPH.replace("NODE", NODE.replace("'config': {}", "'config': {'a': np.zeros(3)}")),
        GRAPH.replace("NODE", NODE.replace("'config': {}", "'config': {'a': 'x' * 2_000_000}")),
        GRAPH.replace("NODE", NODE.replace("'layer'", "'lambda'", 1)),
    ],
)
def test_a_description_that_is_no_graph_is_an_incident(collect, graph):
    graph = graph.replace("NODE", NODE)
    evidence = collect(
        SEQUENTIAL + "\nimport grader.worker.session as session\n"
        "session.STUDENT_HANDLERS['describe'] = lambda s, r: "
        f"{{'graph': {graph}, 'weights': ()}}\n"
    )
    assert evidence.graph is None
    assert evidence.graph_incident.kind is IncidentKind.PROTOCOL
    assert evidence.behaviour.incident is None
    # What cannot be described may still be proven by what it computes.
    assert method(evidence) is ProofMethod.TRANSPLANTED


def test_forged_texts_in_a_description_are_cleaned(collect):
    node = NODE.replace("'d'", "'\\x1b[31m' + 'n' * 999").replace(
        "'config': {}", "'config': {'\\x1b': ['\\x1b', {'a': '\\x1b' * 9}], 'rate': float('nan')}"
    )
    graph = GRAPH.replace(
        "'parameters': 0}", "'parameters': 0, 'unused_layers': ['\\x1b' * 5000]}"
    ).replace("NODE", node)
    evidence = collect(
        SEQUENTIAL + "\nimport grader.worker.session as session\n"
        "session.STUDENT_HANDLERS['describe'] = lambda s, r: "
        f"{{'graph': {graph}, 'weights': ()}}\n"
    )
    text = evidence.graph.model_dump_json()
    assert "u001b" not in text
    assert "\x1b" not in text
    assert len(text) < 2000
    assert type(evidence).model_validate_json(evidence.model_dump_json()).graph is not None


@pytest.mark.parametrize("read", ["[[1], [1, 2]]", "[['x'], []]", "['x']", "5", "[None]"])
def test_weights_that_are_read_and_are_no_arrays_prove_nothing(collect, read):
    forged = "session.STUDENT_HANDLERS['read_weights']"
    source = ZEROS + f"\nimport grader.worker.session as session\n{forged} = lambda s, r: {read}\n"
    assert method(collect(source)) is ProofMethod.NONE


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,), ()])
def test_outputs_without_elements_do_not_vary(shape):
    assert not varies([np.zeros(shape)])


@pytest.mark.parametrize("weights", ["(1, 2)", "'ab'", "(None,)"])
def test_weights_that_are_no_arrays_are_an_incident(collect, weights):
    evidence = collect(
        SEQUENTIAL + "\nimport grader.worker.session as session\n"
        "inner = session.STUDENT_HANDLERS['describe']\n"
        "session.STUDENT_HANDLERS['describe'] = lambda s, r: "
        f"{{**inner(s, r), 'weights': {weights}}}\n"
    )
    assert evidence.graph_incident.kind is IncidentKind.PROTOCOL
