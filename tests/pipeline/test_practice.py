"""An assignment about the pieces of a DQN, graded from files to reports by real workers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.errors import AssignmentError
from grader.pipeline.collecting import collect
from grader.pipeline.judging import judge
from grader.records.evidence import Evidence
from grader.records.report import SeedSet
from grader.records.result import CheckResult, Outcome
from grader.records.submission import Submission, SubmittedFile
from grader.sandbox.server import ForkServer

Graded = dict[str, CheckResult]
Grade = Callable[[str, str], Graded]


@pytest.fixture(scope="module")
def practice() -> LoadedAssignment:
    return load_assignment(str(Path(__file__).parent / "practice" / "assignment.toml"))


@pytest.fixture(scope="module")
def grade(practice: LoadedAssignment, fork_server: ForkServer) -> Grade:
    """Runs one part of a file and judges it from its evidence as it is stored."""

    @cache
    def graded(part: str, source: str) -> Graded:
        content = textwrap.dedent(source).encode()
        submission = Submission(id="alice", files=(SubmittedFile(path="work.py", content=content),))
        parts = {part: practice.assignment.parts[part]}
        alone = LoadedAssignment(
            assignment=practice.assignment.model_copy(update={"parts": parts}),
            baselines=None, digest=practice.digest, path=practice.path,
        )  # fmt: skip
        found = collect(
            submission, alone, fork_server, seed_set=SeedSet.FINAL, parts=frozenset(parts)
        )
        kind = type(found.evidence.parts[0])
        stored = kind.model_validate_json(found.evidence.parts[0].model_dump_json(by_alias=True))
        report = judge(found.evidence.model_copy(update={"parts": (stored,)}), alone)
        assert isinstance(found.evidence, Evidence)
        return {result.id.partition(".")[2]: result for result in report.results}

    return graded


def codes(result: CheckResult) -> set[str]:
    return {finding.code for finding in result.findings if finding.severity != "note"}


TARGETS = """
    import numpy as np

    def q_targets(rewards, next_q_values, terminated, gamma=0.9):
        return rewards + gamma * {best} * {mask}
"""
CHOOSE = """
    import numpy as np, random

    def choose_action(q_values, epsilon{more}):
        if {condition}:
            return {explore}
        return {greedy}
"""
Q_LOSS = """
    import tensorflow as tf

    def q_loss(q_values, actions, targets):
        mask = tf.one_hot(actions, q_values.shape[1])
        taken = {taken}
        return {loss}
"""
CLASS_LOSS = """
    import numpy as np, tensorflow as tf, keras

    def class_loss(y_true, y_pred):
        return {loss}
"""
BUFFER = """
    import random
    import numpy as np
    from collections import deque

    class ReplayBuffer:
        def __init__(self, capacity, seed=None):
            self.capacity = capacity
            self.rng = random.Random(seed)
            self.memory = {memory}

        def __len__(self):
            return {length}

        def add(self, state, action, reward, next_state, done):
            {add}

        def sample(self, batch_size):
            batch = {batch}
            return {returned}
"""
ARRAYS = """
    import numpy as np

    class ReplayBuffer:
        def __init__(self, max_size, observation_shape, seed):
            self.states = np.zeros((max_size, *observation_shape), np.float32)
            self.next_states = np.zeros_like(self.states)
            self.actions = np.zeros(max_size, np.int64)
            self.rewards = np.zeros(max_size, np.{dtype})
            self.dones = np.zeros(max_size, bool)
            self.capacity, self.position, self.count = max_size, 0, 0
            self.rng = np.random.default_rng(seed)

        def __len__(self):
            return self.count

        def store(self, state, action, reward, next_state, done):
            i = self.position
            self.states[i], self.actions[i], self.rewards[i] = state, action, reward
            self.next_states[i], self.dones[i] = next_state, done
            self.position = {position}
            self.count = min(self.count + 1, self.capacity)

        def sample(self, batch_size):
            i = {index}
            return self.states[i], self.actions[i], self.rewards[{rewards}], self.next_states[i], (
                self.dones[i])
"""
UPDATE = """
    import keras

    def update_target(online, target, tau=None):
        {body}
"""
TRAIN = """
    import keras
    import numpy as np
    import tensorflow as tf

    def huber_loss(y_true, y_pred):
        size = tf.abs(y_pred - y_true)
        near = tf.minimum(size, 1.0)
        return tf.reduce_mean(near * (size - near / 2))

    def train(model, x, y, optimizer):
        {first}
        variables = {variables}
        with tf.GradientTape() as tape:
            loss = huber_loss(y, {answer})
        gradients = tape.gradient(loss, variables)
        {apply}
        return float(loss)
"""
NETWORK = """
    import keras
    import numpy as np
    import tensorflow as tf
    from keras.layers import Dense

    def create_q_model(num_actions):
        inputs = keras.Input((12,))
        x = Dense(32, activation="relu", kernel_initializer={first})(inputs)
        x = {between}
        x = Dense(16, activation="relu", kernel_initializer="he_normal", {second})(x)
        x = Dense(num_actions, kernel_initializer={last})(x)
        return keras.Model(inputs, x)
"""
COPY = "(np.array(state), action, reward, np.array(next_state), done)"


def buffer(
    memory: str = "deque(maxlen=capacity)",
    length: str = "len(self.memory)",
    add: str = f"self.memory.append({COPY})",
    batch: str = "self.rng.sample(list(self.memory), min(batch_size, len(self.memory)))",
    returned: str = "tuple(map(np.array, zip(*batch)))",
) -> str:
    return BUFFER.format(memory=memory, length=length, add=add, batch=batch, returned=returned)


def arrays(
    position: str = "(i + 1) % self.capacity",
    index: str = "self.rng.choice(self.count, min(batch_size, self.count), replace=False)",
    rewards: str = "i",
    dtype: str = "float32",
) -> str:
    return ARRAYS.format(position=position, index=index, rewards=rewards, dtype=dtype)


def update(new: str, pairs: str = "zip(online.weights, target.weights)") -> str:
    lines = ("tau = 1.0 if tau is None else tau", f"for w, t in {pairs}:", f"    {new}")
    return UPDATE.format(body="\n        ".join(lines))


def train(
    first: str = "pass",
    variables: str = "model.trainable_variables",
    answer: str = "model(x, training=True)",
    apply: str = "optimizer.apply_gradients(zip(gradients, variables))",
) -> str:
    return TRAIN.format(first=first, variables=variables, answer=answer, apply=apply)


def network(
    first: str = "'he_normal'", second: str = "", last: str = "'glorot_uniform'", between: str = "x"
) -> str:
    return NETWORK.format(first=first, second=second, last=last, between=between)


def targets(best: str = "next_q_values.max(axis=1)", mask: str = "(1 - terminated)") -> str:
    return TARGETS.format(best=best, mask=mask)


def choose(
    condition: str = "np.random.random() < epsilon",
    explore: str = "np.random.randint(len(q_values))",
    greedy: str = "int(np.argmax(q_values))",
    more: str = "",
) -> str:
    return CHOOSE.format(condition=condition, explore=explore, greedy=greedy, more=more)


def q_loss(
    loss: str = "tf.reduce_mean(tf.square(targets - taken))",
    taken: str = "tf.reduce_sum(q_values * mask, axis=1)",
) -> str:
    return Q_LOSS.format(loss=loss, taken=taken)


def class_loss(loss: str) -> str:
    return CLASS_LOSS.format(loss=loss)


NAN = "keras.initializers.Constant(float('nan'))"
LOG = "tf.math.log(tf.clip_by_value(y_pred, 1e-7, 1.0))"
RIGHT = [
    ("targets", targets()),
    ("targets", targets("np.amax(next_q_values, axis=-1)", "np.where(terminated, 0, 1)")),
    ("exploration", choose()),
    ("exploration", choose("rng.random() < epsilon", "int(rng.integers(len(q_values)))",
                           more=", rng")),
    ("exploration", choose("random.random() < epsilon", "random.randrange(len(q_values))",
                           "int(np.random.choice(np.flatnonzero(q_values == q_values.max())))")),
    ("q_loss", q_loss()),
    ("q_loss", q_loss(taken="tf.gather(q_values, actions, batch_dims=1)")),
    ("class_loss", class_loss(f"-tf.reduce_mean(tf.reduce_sum(y_true * {LOG}, axis=1))")),
    ("class_loss",
     class_loss("tf.reduce_mean(keras.losses.categorical_crossentropy(y_true, y_pred))")),
    ("buffer", buffer()),
    ("buffer", buffer(
        returned="dict(zip(['states', 'actions', 'rewards', 'next_states', 'dones'],"
        " map(np.array, zip(*batch))))")),
    ("buffer", arrays()),
    ("buffer", buffer().replace("def add(self, state, action, reward, next_state, done):",
                                "def push(self, t):\n            state, action, reward, "
                                "next_state, done = t")),
    ("buffer", buffer().replace("def add(self, state, action, reward, next_state, done):",
                                "def push(self, *args):\n            state, action, reward, "
                                "next_state, done = args")),
    ("update", update("t.assign(tau * w + (1 - tau) * t)")),
    ("update", update("t.assign(tau * w + (1 - tau) * t)",
                      "zip(policy_net.weights, target_net.weights)").replace(
        "(online, target, tau=None)", "(target_net, policy_net, tau=None)")),
    ("network", network()),
    ("network", network().replace("glorot_uniform", "glorot_uniform").replace("x = x", "pass")),
    ("training", train()),
    ("training", train(apply="[v.assign_sub(0.2 * g) for v, g in zip(variables, gradients)]")),
    ("update", UPDATE.format(
        body="tau = 1 if tau is None else tau\n        target.set_weights([tau * w + (1 - tau) * t"
        " for w, t in zip(online.get_weights(), target.get_weights())])")),
]  # fmt: skip
WRONG = [
    ("targets", targets(mask="1"), "values", {"FN201"}, Outcome.PARTIAL),
    ("targets", targets(mask="terminated"), "values", {"FN202"}, Outcome.PARTIAL),
    ("targets", "def q_targets(rewards, next_q_values, terminated, gamma, model):\n    pass",
     "interface", {"GR107"}, Outcome.FAILED),
    ("exploration", choose("False"), "values", {"FN231"}, Outcome.PARTIAL),
    ("exploration", choose("np.random.random() > epsilon"), "values", {"FN232"}, Outcome.PARTIAL),
    ("exploration", choose(greedy="int(np.argmin(q_values))"), "values", {"FN233"},
     Outcome.PARTIAL),
    ("exploration", choose("np.random.random() < epsilon / 2"), "values", {"FN234"},
     Outcome.PARTIAL),
    ("exploration", choose(explore="np.random.randint(len(q_values) - 1)"), "values",
     {"FN234", "FN235"}, Outcome.PARTIAL),
    ("exploration", choose(greedy="q_values.max()"), "values", {"FN236"}, Outcome.PARTIAL),
    ("exploration", choose(
        explore="int(np.random.choice(np.delete(np.arange(len(q_values)), np.argmax(q_values))))"),
     "values", {"FN237"}, Outcome.PARTIAL),
    ("exploration", choose("True"), "values", {"FN238"}, Outcome.PARTIAL),
    ("q_loss", q_loss("tf.reduce_sum(tf.square(targets - taken))"), "values", {"LS102"},
     Outcome.PARTIAL),
    ("q_loss", q_loss("tf.square(targets - taken)"), "values", {"LS101"}, Outcome.PARTIAL),
    ("q_loss", q_loss("tf.reduce_mean(mask * tf.square(q_values - targets[:, None]))"), "values",
     {"LS110"}, Outcome.PARTIAL),
    ("q_loss", q_loss("tf.reduce_mean(tf.square(q_values - targets[:, None]))"), "values",
     {"LS109"}, Outcome.FAILED),
    ("q_loss", q_loss(taken="tf.reduce_max(q_values, axis=1)"), "values", {"LS111"},
     Outcome.PARTIAL),
    ("q_loss", q_loss(taken="tf.reduce_sum(q_values * mask, axis=1, keepdims=True)"), "values",
     {"LS112"}, Outcome.PARTIAL),
    ("q_loss", q_loss("0.5 * tf.reduce_mean(tf.square(targets - taken))"), "values", {"LS107"},
     Outcome.PARTIAL),
    ("q_loss", q_loss("-tf.reduce_mean(tf.square(targets - taken))"), "values", {"LS103"},
     Outcome.PARTIAL),
    ("q_loss", q_loss("tf.reduce_mean(tf.abs(targets - taken))"), "values", {"LS106"},
     Outcome.FAILED),
    ("q_loss", q_loss("None"), "values", {"LS115"}, Outcome.FAILED),
    ("q_loss", q_loss("tf.reduce_mean(tf.square(targets - tf.stop_gradient(taken)))"), "gradient",
     {"LS121"}, Outcome.FAILED),
    ("q_loss", q_loss("tf.reduce_mean(tf.where(taken == targets,"
                      " tf.sqrt(tf.square(targets - taken)), tf.square(targets - taken)))"),
     "gradient", {"LS122"}, Outcome.PARTIAL),
    ("q_loss", q_loss("tf.reduce_mean(tf.square(targets - taken)"
                      " + taken - tf.stop_gradient(taken))"), "gradient", {"LS123"},
     Outcome.FAILED),
    ("q_loss", q_loss("tf.reduce_sum(tf.square(targets - taken))"), "gradient", {"LS123"},
     Outcome.PARTIAL),
    ("class_loss", class_loss(f"-tf.reduce_mean(y_true * {LOG})"), "values", {"LS104"},
     Outcome.PARTIAL),
    ("class_loss", class_loss("-tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(y_pred), 1))"),
     "values", {"LS114"}, Outcome.PARTIAL),
    ("class_loss", class_loss("tf.reduce_mean(keras.losses.categorical_crossentropy("
                              "y_true, y_pred, from_logits=True))"), "values", {"LS105"},
     Outcome.PARTIAL),
    ("class_loss", class_loss("tf.reduce_mean(tf.square(y_true - y_pred)) + 3"), "values",
     {"LS113"}, Outcome.FAILED),
    ("buffer", buffer(add="raise RuntimeError('full')"), "interface", {"GR108"}, Outcome.FAILED),
    ("buffer", buffer(memory="[]"), "capacity", {"RB101"}, Outcome.PARTIAL),
    ("buffer", buffer(add=f"len(self) < self.capacity and self.memory.append({COPY})"), "capacity",
     {"RB102"}, Outcome.PARTIAL),
    ("buffer", buffer(length="self.capacity"), "capacity", {"RB103"}, Outcome.PARTIAL),
    ("buffer", buffer(length="len(self.memory) > 0"), "capacity", {"RB103"}, Outcome.PARTIAL),
    ("buffer", buffer(returned="[np.zeros(0)] * 5"), "capacity", {"RB116"}, Outcome.FAILED),
    ("buffer", buffer(returned="[np.zeros(0)] * 5"), "batches", {"RB104"}, Outcome.FAILED),
    ("buffer", buffer(returned="[np.zeros(0)] * 5"), "sampling", {"RB116"}, Outcome.FAILED),
    ("buffer", buffer(returned="batch[0][0]"), "batches", {"RB104"}, Outcome.FAILED),
    ("buffer", buffer(returned="batch"), "batches", {"RB105"}, Outcome.PARTIAL),
    ("buffer", buffer(returned="[np.array(c)[:, None] if i in (1, 2) else np.array(c)"
                               " for i, c in enumerate(zip(*batch))]"), "batches", {"RB106"},
     Outcome.PARTIAL),
    ("buffer", buffer(returned="[np.array(c, dtype=float) for c in zip(*batch)]"), "batches",
     {"RB107"}, Outcome.PARTIAL),
    ("buffer", buffer(returned="tuple(zip(*batch))"), "batches", {"RB107"}, Outcome.PARTIAL),
    ("buffer", arrays(rewards="self.rng.permutation(i)"), "batches", {"RB108"}, Outcome.PARTIAL),
    ("buffer", buffer(add="self.memory.append((state, action, reward, next_state, done))"),
     "batches", {"RB109"}, Outcome.PARTIAL),
    ("buffer", arrays(dtype="int64"), "batches", {"RB107", "RB110"}, Outcome.FAILED),
    ("buffer", arrays(index="self.rng.choice(self.capacity, batch_size, replace=False)"),
     "sampling", {"RB115"}, Outcome.PARTIAL),
    ("buffer", arrays(index="self.rng.integers(self.count - 1, size=batch_size)"), "sampling",
     {"RB111", "RB113", "RB115"}, Outcome.PARTIAL),
    ("buffer", buffer(batch="[self.memory.rotate(-batch_size),"
                            " list(self.memory)[:batch_size]][1]"), "sampling", {"RB112"},
     Outcome.PARTIAL),
    ("buffer", buffer(batch="self.rng.choices(self.memory, k=batch_size)"), "sampling",
     {"RB113", "RB115"}, Outcome.PARTIAL),
    ("buffer", buffer(batch="random.sample(list(self.memory), min(batch_size, len(self)))"),
     "sampling", {"RB114"}, Outcome.PARTIAL),
    ("buffer", buffer(returned="[np.array(c)[:8] for c in zip(*batch)]"), "batches", {"RB116"},
     Outcome.PARTIAL),
    ("update", update("w + t").replace("tau=None", "tau=None, *, speed"), "interface", {"GR107"},
     Outcome.FAILED),
    ("update", UPDATE.format(body="target = keras.models.clone_model(online)"), "weights",
     {"TU101"}, Outcome.FAILED),
    ("update", update("w.assign(tau * t + (1 - tau) * w)"), "weights", {"TU102"}, Outcome.FAILED),
    ("update", update("t.assign((1 - tau) * w + tau * t)"), "weights", {"TU103"},
     Outcome.PARTIAL),
    ("update", update("pass", "[(None, None)]").replace(
        "        for", "        target._layers[:] = online._layers\n        for").replace(
        "    for w", "    target._functional = online._functional\n        for w"),
     "weights", {"TU104"}, Outcome.FAILED),
    ("update", update("t.assign(tau * w + (1 - tau) * t)",
                      "zip(online.trainable_weights, target.trainable_weights)"), "weights",
     {"TU105"}, Outcome.PASSED),
    ("update", update("t.assign(w)"), "weights", {"TU106"}, Outcome.PARTIAL),
    ("update", update("(t.assign(tau * w + (1 - tau) * t), w.assign(0 * w))"), "weights",
     {"TU107"}, Outcome.FAILED),
    ("update", update("t.assign(tau * (w + t) + 3)"), "weights", {"TU108"}, Outcome.FAILED),
    ("update", update("t.assign_add(tau * w)"), "weights", {"TU109"}, Outcome.PARTIAL),
    ("network", network(NAN, last=NAN).replace('"he_normal"', NAN), "initialisation", {"WT101"},
     Outcome.FAILED),
    ("network", network("keras.initializers.Constant(0.1)"), "initialisation", {"WT102"},
     Outcome.PARTIAL),
    ("network", network("'glorot_uniform'"), "initialisation", {"WT103"}, Outcome.PARTIAL),
    ("network", network("keras.initializers.RandomNormal(stddev=0.2)"), "initialisation",
     {"WT103"}, Outcome.PARTIAL),
    ("network", network(last="'he_normal'"), "initialisation", {"WT103"}, Outcome.PARTIAL),
    ("network", network(second="bias_initializer='ones'"), "initialisation", {"WT104"},
     Outcome.PARTIAL),
    ("network", network(between="Odd()(x)").replace(
        "    def create", "    class Odd(keras.layers.Layer):\n        def call(self, x):\n"
        "            return tf.numpy_function(lambda v: np.sort(v), [x], tf.float32)\n"
        "        def compute_output_shape(self, s):\n            return s\n\n    def create"),
     "gradients", {"WT201"}, Outcome.FAILED),
    ("network", network(between="keras.layers.Lambda(tf.stop_gradient)(x)"), "gradients",
     {"WT202"}, Outcome.PARTIAL),
    ("network", network(second="bias_initializer=keras.initializers.Constant(-50)"), "gradients",
     {"WT203"}, Outcome.FAILED),
    ("network", network(second="bias_initializer=keras.initializers.Constant(-1.7)"), "gradients",
     {"WT206"}, Outcome.PASSED),
    ("network", network(last="'zeros'"), "gradients", {"WT204"}, Outcome.FAILED),
    ("network", network(second="trainable=False"), "gradients", {"WT207"}, Outcome.PARTIAL),
    ("network", network("keras.initializers.Constant(float('nan'))"), "gradients",
     {"WT205"}, Outcome.FAILED),
    ("training", train("raise ValueError(x)"), "learns", {"GR108"}, Outcome.FAILED),
    ("training", train(apply="pass"), "learns", {"TR301"}, Outcome.FAILED),
    ("training", train(apply="pass"), "gradients", {"TR312"}, Outcome.FAILED),
    ("training", train("model = keras.models.clone_model(model)"), "gradients", {"TR312"},
     Outcome.FAILED),
    ("training", train(apply="optimizer.apply_gradients([(-g, v) for g, v in"
                             " zip(gradients, variables)])"), "learns", {"TR302"}, Outcome.FAILED),
    ("training", train(apply="optimizer.apply_gradients([(0.02 * g, v) for g, v in"
                             " zip(gradients, variables)])"), "learns", {"TR303"},
     Outcome.PARTIAL),
    ("training", train().replace("huber_loss", "other_loss"), "interface", {"GR105"},
     Outcome.FAILED),
    ("training", train(variables="model.layers[-1].trainable_variables"), "gradients",
     {"TR311"}, Outcome.PARTIAL),
    ("training", train(answer="model.layers[-1](tf.stop_gradient(model.layers[0](x)))",
                       apply="optimizer.apply_gradients((g, v) for g, v in"
                             " zip(gradients, variables) if g is not None)"), "gradients",
     {"TR311"}, Outcome.PARTIAL),
    ("training", train(variables="model.variables",
                       apply="[v.assign_sub(0.2 * g) for v, g in zip(variables, gradients)]"),
     "gradients", {"TR313"}, Outcome.PARTIAL),
    ("update", update("t.assign(0.005 * w + 0.995 * t)"), "weights", {"TU110"}, Outcome.PARTIAL),
]  # fmt: skip


@pytest.mark.parametrize(("part", "source"), RIGHT)
def test_right_work_passes_every_check(grade, part, source):
    for result in grade(part, source).values():
        assert (result.outcome, codes(result)) == (Outcome.PASSED, set())


@pytest.mark.parametrize(("part", "source", "check", "expected", "outcome"), WRONG)
def test_typical_mistakes_are_named(grade, part, source, check, expected, outcome):
    result = grade(part, source)[check]
    assert (codes(result), result.outcome) == (expected, outcome), result.findings
    for finding in result.findings:
        assert finding.where
        assert finding.try_


EXIT = "__import__('os')._exit(3)"
ENDING = [
    ("targets", targets(EXIT)),
    ("exploration", choose(explore=EXIT)),
    ("q_loss", q_loss(EXIT)),
    ("buffer", buffer(add=EXIT)),
    ("buffer", buffer(batch=f"{EXIT} if len(self) == 50 else list(self.memory)[:batch_size]")),
    ("update", update(EXIT)),
    ("training", train(EXIT)),
    ("network", network(EXIT)),
]


@pytest.mark.parametrize(("part", "source"), ENDING)
def test_work_that_ends_its_process_is_the_students_side(grade, part, source):
    """No fault of the grader's, and no check passes on what was never seen."""
    results = grade(part, source).values()
    assert Outcome.FAULT not in {result.outcome for result in results}
    assert {result.outcome for result in results} & {Outcome.INVALID, Outcome.PARTIAL}
    assert any(code.startswith("GR") for result in results for code in codes(result))


STRANGE = "np.full((3,), np.nan)"
ODD = [
    ("targets", targets("np.array(['a'], dtype=object)[0]")),
    ("exploration", choose(greedy="10**400")),
    ("exploration", choose(greedy="[[1], [2, 3]]")),
    ("q_loss", q_loss("tf.constant([float('inf')] * 3)")),
    ("q_loss", q_loss("tf.reduce_mean(taken) * float('nan')")),
    ("buffer", buffer(returned=f"({STRANGE},) * 5")),
    ("buffer", buffer(returned="{'state': 1}")),
    ("buffer", buffer(length="-1")),
    ("buffer", buffer(length="10**30")),
    ("buffer", buffer(returned="[np.zeros((2, 0))] * 5")),
    ("update", update("t.assign(w * float('nan'))")),
    ("update", UPDATE.format(body="target.set_weights([0 * w for w in target.get_weights()])")),
    ("training", train(apply="[v.assign(v * float('nan')) for v in variables]")),
    ("network", network("keras.initializers.Constant(float('inf'))")),
]


@pytest.mark.parametrize(("part", "source"), ODD)
def test_odd_values_are_judged_and_never_a_fault(grade, part, source):
    for result in grade(part, source).values():
        assert result.outcome is not Outcome.FAULT, result.findings


def test_every_part_has_work_that_passes_and_work_that_fails_each_check(practice):
    checks = {
        (part_id, name)
        for part_id, part in practice.assignment.parts.items()
        for name in part.checks
    }
    assert {part for part, _ in RIGHT} == set(practice.assignment.parts)
    assert {(part, check) for part, _, check, *_ in WRONG} | {
        ("q_loss", "interface"), ("class_loss", "gradient"),
    } >= checks  # fmt: skip


def test_a_check_whose_part_records_nothing_for_it_is_told_to_the_author(practice, tmp_path):
    text = practice.path.read_text()
    changed = tmp_path / "assignment.toml"
    changed.write_text(
        text.replace("learning_steps = 50, ", "").replace("examine_weights = true", "")
    )
    with pytest.raises(AssignmentError) as caught:
        load_assignment(str(changed))
    told = str(caught.value)
    for check, setting in (
        ("training.learns", "learning_steps"), ("training.gradients", "learning_steps"),
        ("network.initialisation", "examine_weights"), ("network.gradients", "examine_weights"),
    ):  # fmt: skip
        assert f"{check} needs the part's setting `{setting}`" in told


def test_the_same_work_leaves_the_same_report(grade):
    work = choose("np.random.random() > epsilon")
    assert grade("exploration", work) == grade.__wrapped__("exploration", work)
