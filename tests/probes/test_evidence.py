"""What all kinds of evidence promise: it survives JSON, and collecting again gives the same."""

from typing import Any

import pytest

from grader.records.evidence import PartEvidence

Submitted = tuple[str, dict[str, Any], str]

IMPORTS = "import os, random, secrets, uuid\nimport numpy as np\n"
RANDOM_AGENT = (
    "random_agent",
    {"spaces": ["Discrete(4)", "Box(0.0, 1.0, (2,))"], "samples": 100, "sequence_length": 8},
    "class RandomAgent:\n"
    "    def __init__(self, action_space, seed=None):\n        self.space = action_space\n"
    "    def act(self, observation):\n        return CHOICE\n",
)
AGENT = (
    "agent",
    {"environment_id": "CartPole-v1", "replayed_episodes": 1},
    "class DQNAgent:\n"
    "    def __init__(self, observation_space, action_space):\n        pass\n"
    "    def act(self, observation):\n        return CHOICE\n",
)
NETWORK = (
    "network",
    {"input_shapes": [[6]], "num_actions": [2], "layers": [
        {"layer": "Dense", "units": 4, "activation": "relu"},
        {"layer": "Dense", "units": "num_actions"}]},
    "import keras\nimport tensorflow as tf\n"
    "def create_q_model(num_actions):\n"
    "    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation='relu'),"
    " keras.layers.Dense(num_actions), CHOICE])\n",
)  # fmt: skip
FUNCTION = (
    "function",
    {"reference": "cross_correlation_2d"},
    "def function(image, kernel, stride=1):\n    return CHOICE\n",
)
TRAINING = (
    "training",
    {},
    "import tensorflow as tf\n"
    "def huber_loss(y_true, y_pred):\n    return tf.reduce_sum(y_pred) * CHOICE\n"
    "def train_step(model, optimizer, states, targets):\n"
    "    model.set_weights([w * CHOICE for w in model.get_weights()])\n"
    "    return float(CHOICE)\n",
)
LOSS = (
    "loss",
    {"reference": "mean_squared_error"},
    "import tensorflow as tf\n"
    "def loss(y_true, y_pred):\n    return tf.reduce_sum(y_pred) * CHOICE\n",
)
EXPLORATION = (
    "function",
    {"reference": "epsilon_greedy"},
    "def function(q_values, epsilon):\n    return CHOICE\n",
)
BUFFER = (
    "replay_buffer",
    {"capacity": 20, "batch_size": 6, "batches": 20},
    "class ReplayBuffer:\n"
    "    def __init__(self, capacity):\n        self.memory = []\n"
    "    def add(self, *transition):\n        self.memory.append(transition)\n"
    "    def sample(self, batch_size):\n"
    "        rows = [self.memory[CHOICE] for _ in range(batch_size)]\n"
    "        return tuple(map(np.array, zip(*rows)))\n"
    "    def __len__(self):\n        return len(self.memory)\n",
)
UPDATE = (
    "target_update",
    {"updates": "both"},
    "def update_target(online, target, tau=1.0):\n"
    "    target.set_weights([w * CHOICE for w in online.get_weights()])\n",
)
LEARNING = ("training", {"learning_steps": 4}, TRAINING[2])
ENVIRONMENT = (
    "environment",
    {"episodes": 2, "max_steps": 30, "compared_steps": 10},
    "import gymnasium\n"
    "class GameEnv(gymnasium.Env):\n"
    "    def __init__(self):\n"
    "        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,))\n"
    "        self.action_space = gymnasium.spaces.Discrete(2)\n"
    "    def reset(self, *, seed=None, options=None):\n"
    "        return np.array([CHOICE], np.float32), {}\n"
    "    def step(self, action):\n"
    "        draw = CHOICE\n"
    "        return np.array([draw], np.float32), draw, bool(draw > 0.9), False, {}\n",
)


def choosing(part: Submitted, choice: str) -> Submitted:
    kind, settings, source = part
    return kind, settings, IMPORTS + source.replace("CHOICE", choice)


HONEST = [
    choosing(RANDOM_AGENT, "self.space.sample()"),
    choosing(AGENT, "int(observation[2] > 0)"),
    choosing(NETWORK, "keras.layers.Activation('linear')"),
    choosing(FUNCTION, "image * 1.0"),
    choosing(TRAINING, "0.5"),
    choosing(LEARNING, "0.5"),
    choosing(LOSS, "0.5"),
    choosing(EXPLORATION, "0"),
    choosing(BUFFER, "3"),
    choosing(UPDATE, "0.5"),
    choosing(ENVIRONMENT, "float(self.np_random.random())"),
]
NAN = [
    choosing(AGENT, "float('nan')"),
    choosing(NETWORK, "keras.layers.Lambda(lambda x: x / tf.zeros_like(x))"),
    choosing(NETWORK, "keras.layers.Lambda(lambda x: tf.math.log(-tf.abs(x)))"),
    choosing(FUNCTION, "np.array([np.nan, np.inf, -np.inf])"),
    choosing(TRAINING, "float('nan')"),
    choosing(TRAINING, "float('inf')"),
    choosing(LEARNING, "float('nan')"),
    choosing(LOSS, "float('nan')"),
    choosing(EXPLORATION, "float('nan')"),
    choosing(UPDATE, "float('inf')"),
    choosing(ENVIRONMENT, "float('nan')"),
    choosing(ENVIRONMENT, "float('-inf')"),
]
UNSEEDED = [
    choosing(RANDOM_AGENT, "random.randrange(4)"),
    choosing(RANDOM_AGENT, "np.random.default_rng().random(2).astype(np.float32)"),
    choosing(AGENT, "random.getrandbits(1)"),
    choosing(AGENT, "secrets.randbelow(2)"),
    choosing(AGENT, "int(np.random.default_rng().integers(2))"),
    choosing(NETWORK, "keras.layers.Lambda(lambda x: x + tf.random.normal(tf.shape(x)))"),
    choosing(NETWORK, "keras.layers.Lambda(lambda x: x + np.random.rand())"),
    choosing(FUNCTION, "image + int.from_bytes(os.urandom(2), 'big')"),
    choosing(FUNCTION, "image + uuid.uuid4().int % 1000"),
    choosing(TRAINING, "np.random.rand()"),
    choosing(LEARNING, "np.random.rand()"),
    choosing(LOSS, "random.random()"),
    choosing(EXPLORATION, "random.randrange(2)"),
    choosing(BUFFER, "random.randrange(5)"),
    choosing(UPDATE, "np.random.default_rng().random()"),
    choosing(ENVIRONMENT, "random.random()"),
    choosing(ENVIRONMENT, "float(np.random.default_rng().random())"),
    choosing(AGENT, "object()"),
    choosing(AGENT, "{}['missing', object()]"),
    choosing(FUNCTION, "object()"),
    choosing(ENVIRONMENT, "object()"),
]


def named(submitted: Submitted) -> str:
    return f"{submitted[0]} {submitted[2][-60:]}"


@pytest.fixture(scope="module")
def collect(probe):
    def run(submitted: Submitted) -> PartEvidence:
        kind, settings, source = submitted
        return probe(kind, source, settings=settings)

    return run


@pytest.mark.parametrize("submitted", [*HONEST, *NAN], ids=named)
def test_evidence_survives_json(collect, submitted):
    evidence = collect(submitted)
    text = evidence.model_dump_json()
    again = type(evidence).model_validate_json(text)
    assert again.model_dump_json() == text
    assert again.kind == submitted[0]
    if "NaN" not in text:
        assert again == evidence
    assert type(evidence).parse(evidence.plain()).model_dump_json() == text


@pytest.mark.parametrize("submitted", UNSEEDED, ids=named)
def test_collecting_again_gives_the_same_evidence_also_of_what_is_left_to_chance(
    collect, submitted
):
    assert collect(submitted).model_dump_json() == collect(submitted).model_dump_json()
