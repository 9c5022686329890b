"""Agents that act on batches, functions, and networks that are handed in without an agent."""

import textwrap

import pytest

from grader.episodes.replaying import replay
from grader.probes.agent_players import derived
from grader.records.agent_evidence import PlayedBy, ReplayWay
from grader.records.agent_settings import AgentSettings
from grader.records.incident import IncidentKind
from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.spec import Limits

CARTPOLE = {"environment_id": "CartPole-v1", "max_episode_steps": 80}
BATCH = """
    import numpy as np

    class DQNAgent:
        def __init__(self, observation_space, action_space):
            self.heights = set()

        def act(self, observation):
            return int(observation[2] + 0.2 * observation[3] > 0)

        def act_batch(self, observations):
            self.heights.add(len(observations))
            assert self.heights == {len(observations)}, self.heights
            return (observations[:, 2] + 0.2 * observations[:, 3] > 0).astype(int)
"""


@pytest.fixture(scope="module")
def collect(probe):
    return lambda source, **options: probe("agent", source, **{"settings": CARTPOLE, **options})


# --- batches ------------------------------------------------------------------------------------


def test_an_agent_for_batches_plays_all_seeds_at_once_as_it_plays_each_alone(collect):
    together = collect(BATCH, seeds=(7, 3, 5, 1))
    assert (together.played_by, together.declined) == (PlayedBy.BATCH, None)
    alone = collect(BATCH.replace("act_batch", "unknown"), seeds=(7, 3, 5, 1))
    assert alone.played_by is PlayedBy.AGENT
    assert together.episodes == alone.episodes
    for episode in together.episodes:
        assert replay(AgentSettings(**CARTPOLE), episode).same
    assert [(trial.seed, trial.way) for trial in together.replays] == [
        (7, ReplayWay.ALONE), (3, ReplayWay.ALONE), (7, ReplayWay.ONE_BY_ONE),
    ]  # fmt: skip
    assert all(trial.difference is None for trial in together.replays)


@pytest.mark.parametrize("name", ["act_batch", "predict_batch", "get_actions"])
def test_several_names_are_known_for_it(collect, name):
    assert collect(BATCH.replace("act_batch", name)).played_by is PlayedBy.BATCH


DEPENDENT = BATCH.replace(
    "observations[:, 2] +", "observations[:, 2] - observations[:, 2].mean() +"
)


def test_an_answer_that_depends_on_the_other_rows_is_found(collect):
    alone, _, one_by_one = collect(DEPENDENT, seeds=(7, 3, 5)).replays
    assert alone.way is ReplayWay.ALONE
    assert alone.difference is not None
    assert one_by_one.difference is not None


def test_a_method_for_batches_that_acts_otherwise_is_found(collect):
    source = BATCH.replace("> 0).astype", "<= 0).astype")
    alone, _, one_by_one = collect(source).replays
    assert alone.difference is None
    assert one_by_one.difference == 0


def test_a_single_other_action_may_be_rounding(collect):
    source = BATCH.replace(
        "return int(", "self.steps = getattr(self, 'steps', 0) + 1\n"
        "            return int(self.steps == 5) ^ int(",
    )  # fmt: skip
    *_, one_by_one = collect(source, seeds=(7,)).replays
    assert one_by_one.way is ReplayWay.ONE_BY_ONE
    assert one_by_one.difference is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("raise NotImplementedError", IncidentKind.RAISED),
        ("return 0", IncidentKind.PROTOCOL),
        ("return [0]", IncidentKind.PROTOCOL),
        ("return list(range(20))", IncidentKind.PROTOCOL),
        ("import os; os._exit(1)", IncidentKind.EXITED),
    ],
)
def test_what_cannot_act_on_a_batch_acts_on_one_observation(collect, body, kind):
    head, _, _ = BATCH.partition("self.heights.add")
    evidence = collect(f"{head}{body}\n")
    assert evidence.played_by is PlayedBy.AGENT
    assert evidence.declined.kind is kind
    assert evidence.episodes == collect(BATCH).episodes


def test_what_fails_in_a_later_batch_ends_the_episodes_that_still_run(collect):
    source = BATCH.replace(
        "self.heights.add", "self.n = getattr(self, 'n', -1) + 1; assert self.n < 6\n"
        "            self.heights.add",
    )  # fmt: skip
    evidence = collect(source)
    assert evidence.declined is None
    for episode in evidence.episodes:
        assert len(episode.actions) == 6
        assert episode.incident.stage == "calling act_batch (step 6)"


def test_a_batch_with_other_rows_later_on_is_told_with_numbers(collect):
    source = BATCH.replace(".astype(int)", ".astype(int)[: 9 if len(self.heights) else 0]").replace(
        "self.heights.add", "self.n = getattr(self, 'n', -1) + 1\n"
        "            if self.n == 3: return [1]\n            self.heights.add",
    )  # fmt: skip
    (first, _) = collect(source).episodes
    assert first.incident.kind is IncidentKind.PROTOCOL
    assert first.incident.message == "2 observations were shown, and 1 actions came back"


# --- reset --------------------------------------------------------------------------------------

RESETTING = """
    class DQNAgent:
        def __init__(self, observation_space, action_space):
            self.told = None

        def reset(self{parameters}):
            self.told = {told}

        def act(self, observation):
            raise ValueError(self.told)
"""


@pytest.mark.parametrize(
    ("parameters", "told", "message"),
    [
        (", seed", "seed", str(derived("reset", 1))),
        (", seed=None", "seed", str(derived("reset", 1))),
        ("", "'called'", "called"),
        (", observation", "observation", "None"),
        (", env=None", "'called'", "None"),
    ],
)
def test_an_agent_is_told_of_a_new_episode(collect, parameters, told, message):
    evidence = collect(RESETTING.format(parameters=parameters, told=told), seeds=(1,))
    assert evidence.episodes[0].incident.message == message


def test_a_generator_seeded_in_reset_repeats_itself(collect):
    evidence = collect(
        """
        import numpy as np

        class DQNAgent:
            def reset(self, seed):
                self.rng = np.random.default_rng(seed)

            def act(self, observation):
                return int(self.rng.integers(2))
        """
    )
    assert [trial.difference for trial in evidence.replays] == [None, None]
    first, second = evidence.episodes
    assert first.actions[:8] != second.actions[:8]


# --- functions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["act", "policy", "agent"])
def test_a_function_plays_where_there_is_no_class(collect, name):
    evidence = collect(f"def {name}(observation):\n    return int(observation[2] > 0)\n")
    assert (evidence.played_by, evidence.unresolved) == (PlayedBy.FUNCTION, ())
    assert all(episode.terminated or episode.truncated for episode in evidence.episodes)
    assert evidence.place("act") == "work.py:1"
    assert [trial.difference for trial in evidence.replays] == [None, None]


def test_a_class_comes_before_a_function(collect):
    source = "def act(observation):\n    return 1\n"
    source += "class DQNAgent:\n    def act(self, observation):\n        return 0\n"
    evidence = collect(source)
    assert evidence.played_by is PlayedBy.AGENT
    assert set(evidence.episodes[0].actions) == {0}


def test_the_class_is_what_is_missed_where_there_is_nothing(collect):
    evidence = collect("def create_q_model(num_actions):\n    return None\n")
    assert [missed.role for missed in evidence.unresolved] == ["agent_class"]
    assert evidence.episodes == ()


# --- networks -----------------------------------------------------------------------------------

NETWORK = """
    import keras

    def build_model({parameters}):
        return keras.Sequential([keras.layers.Dense({actions})])
"""
WEIGHTED = {**CARTPOLE, "weights_file": "q.weights.h5"}


@pytest.fixture(scope="module")
def saved(fork_server):
    """Weights, and a whole model, of a network that leans where the pole falls to."""
    source = textwrap.dedent(
        """
        import keras, numpy as np, pathlib

        def run():
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
            kernel = np.zeros((4, 2), 'float32')
            kernel[:, 1] = [0, 0, 1, 0.2]
            model.set_weights([kernel, np.zeros(2, 'float32')])
            model.save_weights('q.weights.h5')
            model.save('q.keras')
            return [pathlib.Path(name).read_bytes() for name in ('q.weights.h5', 'q.keras')]
        """
    )
    with fork_server.student(Limits(), 1) as worker:
        worker.put_files((("student.py", source.encode()),))
        worker.ask(ImportFile(file="student.py"), "importing")
        worker.ask(Resolve(role="run", what="function", names=("run",)), "looking")
        weights, model = worker.ask(Invoke(target="run"), "saving")
    return {"q.weights.h5": weights, "q.keras": model}


@pytest.fixture(scope="module")
def leaning(collect):
    return collect(BATCH.replace("act_batch", "unknown")).episodes


@pytest.mark.parametrize(
    ("parameters", "actions"),
    [("num_actions", "num_actions"), ("state_size, action_size", "action_size"),
     ("input_shape, n_actions", "n_actions"), ("n", "n"), ("", "2")],
)  # fmt: skip
def test_a_network_with_its_weights_plays_greedily(collect, saved, leaning, parameters, actions):
    source = NETWORK.format(parameters=parameters, actions=actions)
    evidence = collect(source, settings=WEIGHTED, more={"q.weights.h5": saved["q.weights.h5"]})
    assert (evidence.played_by, evidence.construction) == (PlayedBy.NETWORK, None)
    assert evidence.episodes == leaning
    assert [(each.way, each.difference) for each in evidence.replays] == [
        (ReplayWay.ALONE, None)
    ] * 2


def test_a_saved_model_is_played_beside_a_file(collect, saved, leaning):
    evidence = collect(
        "# nothing to define\n", settings={**CARTPOLE, "model_file": "q.keras"},
        more={"q.keras": saved["q.keras"]},
    )  # fmt: skip
    assert (evidence.played_by, evidence.unresolved) == (PlayedBy.NETWORK, ())
    assert evidence.episodes == leaning


def test_weights_that_were_not_handed_in_are_named(collect):
    evidence = collect(NETWORK.format(parameters="n", actions="n"), settings=WEIGHTED)
    assert evidence.construction.kind is IncidentKind.MISSING_FILE
    assert "q.weights.h5" in evidence.construction.message


@pytest.mark.parametrize("content", [b"", b"no weights", "other"])
def test_weights_that_do_not_fit_are_the_students(collect, saved, content):
    source = NETWORK.format(parameters="n", actions="5" if content == "other" else "n")
    data = saved["q.weights.h5"] if content == "other" else content
    evidence = collect(source, settings=WEIGHTED, more={"q.weights.h5": data})
    assert evidence.construction.kind is IncidentKind.RAISED
    assert evidence.construction.stage == "loading q.weights.h5"


def test_a_builder_that_returns_no_model_is_told_so(collect, saved):
    evidence = collect(
        "def build_model(n):\n    return 3\n", settings=WEIGHTED,
        more={"q.weights.h5": saved["q.weights.h5"]},
    )  # fmt: skip
    assert "no Keras model" in evidence.construction.message
