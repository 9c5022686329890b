import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from grader.episodes.filming import Filmed, film_episode
from grader.episodes.rollout import play
from grader.probes import agent_films as films
from grader.probes.agent_films import worst_and_best
from grader.probes.agent_players import Cast
from grader.records.agent_evidence import Episode, PlayedBy
from grader.records.environments import PlayedEnvironment
from grader.records.films import Film
from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.report import SeedSet
from grader.records.spec import Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import ForkServer
from grader.sandbox.worker import Worker

CARTPOLE = PlayedEnvironment(environment_id="CartPole-v1")


def receipt(episode_return: float) -> Episode:
    return Episode(seed=99, actions=(), rewards=(), episode_return=episode_return)


# --- which episodes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returns", "indices"),
    [
        ([], []),
        ([3.0], [0]),
        ([3.0, 1.0, 5.0], [1, 2]),
        ([3.0, 1.0, 1.0, 5.0, 5.0], [1, 3]),
        ([4.0, 4.0, 4.0], [0]),
        ([-2.0, -1.0], [0, 1]),
    ],
)
def test_the_worst_and_the_best_are_filmed_and_none_twice(
    returns: list[float], indices: list[int]
) -> None:
    chosen = worst_and_best([receipt(value) for value in returns])

    assert [index for index, _ in chosen] == indices


def test_titles_name_episodes_by_number_and_no_seed() -> None:
    chosen = worst_and_best([receipt(3.0), receipt(1.0), receipt(5.0)])

    assert [title for _, title in chosen] == [
        "The worst of 3 episodes: episode 2",
        "The best of 3 episodes: episode 3",
    ]
    assert "99" not in str(worst_and_best([receipt(1.0), receipt(1.0)]))


# --- values, many agents in one worker ----------------------------------------------------------

AGENTS = """
    import keras, numpy as np, time
    from keras import layers

    WEIGHTS = np.array([[-0.1, 0.1], [-0.5, 0.5], [-10.0, 10.0], [-4.0, 4.0]], np.float32)

    def network(scale=1.0, actions=2):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(actions, use_bias=False)])
        model.set_weights([scale * WEIGHTS[:, :actions]])
        return model

    class Agent:
        def __init__(self, **members):
            self.__dict__.update(members)

    class Telling(Agent):
        def q_values(self, observation):
            return self.answer(observation)

    def with_a_model():
        return Agent(model=network())

    def with_a_network_by_another_name():
        return Agent(q_network=network(), target=network(0.0))

    def with_a_method():
        return Telling(answer=lambda seen: list(map(float, seen @ WEIGHTS)))

    def with_a_table_of_one_row():
        return Telling(answer=lambda seen: (seen @ WEIGHTS)[None])

    def without_any():
        return Agent(policy=lambda seen: 1)

    def with_a_model_of_prepared_input():
        return Agent(model=network(-1.0))

    def with_a_model_for_more_actions():
        return Agent(model=network(actions=1))

    def with_a_model_of_nothing_but_nan():
        return Agent(model=network(np.nan))

    def raising():
        return Telling(answer=lambda seen: 1 / 0)

    def hanging():
        return Telling(answer=lambda seen: time.sleep(60))

    def talking():
        return Telling(answer=lambda seen: "<script>")

    def nested():
        return Telling(answer=lambda seen: [[1.0], [2.0, 3.0]])

    def too_large():
        return Telling(answer=lambda seen: [10**400, 1])

    def infinite():
        return Telling(answer=lambda seen: [float("inf"), 1.0])

    def silent():
        return Telling(answer=lambda seen: None)

    def leaving():
        return Telling(answer=lambda seen: exit())
"""


@pytest.fixture(scope="module")
def filmed() -> Filmed:
    """An episode of the network that some of the agents have."""
    weights = np.array([0.1, 0.5, 10.0, 4.0])
    played = play(CARTPOLE, 3, lambda seen, _: int(seen @ weights > 0)).episode
    cut = 40
    return film_episode(
        CARTPOLE,
        played.model_copy(
            update={"actions": played.actions[:cut], "rewards": played.rewards[:cut]}
        ),
        "Film",
    )


Valued = Callable[[str], Film]


@pytest.fixture(scope="module")
def valued(fork_server: ForkServer, filmed: Filmed) -> Iterator[Valued]:
    """The film with the values of an agent that a function of the file makes."""
    worker = _worker(fork_server)

    def ask(name: str) -> Film:
        worker.ask(Resolve(role=name, what="function", names=(name,)), "looking")
        worker.ask(Invoke(target=name, keep="agent"), "making")
        return films._valued(worker, Cast(PlayedBy.AGENT), filmed)

    yield ask
    worker.close()


def _worker(server: ForkServer) -> Worker:
    worker = server.student(Limits(call_wall_s=20, call_cpu_s=10), 1)
    worker.put_files((("student.py", textwrap.dedent(AGENTS).encode()),))
    worker.ask(ImportFile(file="student.py"), "importing")
    return worker


@pytest.mark.parametrize(
    "name",
    ["with_a_model", "with_a_network_by_another_name", "with_a_method", "with_a_table_of_one_row"],
)
def test_values_are_those_of_the_network_on_what_was_seen(
    valued: Valued, filmed: Filmed, name: str
) -> None:
    film = valued(name)

    assert film.frames[-1].values is None
    weights = np.array([0.1, 0.5, 10.0, 4.0])
    for frame, seen in zip(film.frames[:-1], filmed.observations[:-1], strict=True):
        assert frame.values == pytest.approx((-(seen @ weights), seen @ weights), rel=1e-3)
        assert frame.values.index(max(frame.values)) == frame.taken
    assert with_no_values(film) == filmed.film


def with_no_values(film: Film) -> Film:
    frames = tuple(frame.model_copy(update={"values": None}) for frame in film.frames)
    return film.model_copy(update={"frames": frames})


@pytest.mark.parametrize(
    "name",
    [
        "without_any", "with_a_model_of_prepared_input", "with_a_model_for_more_actions",
        "with_a_model_of_nothing_but_nan", "talking", "nested", "too_large", "infinite", "silent",
    ],
)  # fmt: skip
def test_values_that_are_none_leave_the_film_as_it_is(
    valued: Valued, filmed: Filmed, name: str
) -> None:
    assert valued(name) == filmed.film


def test_an_error_of_the_agents_is_an_incident_that_the_caller_passes_over(valued: Valued) -> None:
    with pytest.raises(WorkerIncident):
        valued("raising")


# --- the whole part -----------------------------------------------------------------------------

LEANING = """
    class DQNAgent:
        def __init__(self, observation_space, action_space):
            pass

        def act(self, observation):
            return int(observation[2] + 0.5 * observation[3] > 0)
"""
WITH_MODEL = """
    import keras, numpy as np
    from keras import layers

    class DQNAgent:
        def __init__(self, observation_space, action_space):
            self.model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])

        def act(self, observation):
            return int(np.argmax(self.model(observation[None])[0]))
"""


def settled(**settings: Any) -> dict[str, Any]:
    return {"environment_id": "CartPole-v1", "max_episode_steps": 12, **settings}


def test_a_part_has_films_of_its_worst_and_best_episode(probe: Any) -> None:
    weak = LEANING.replace(" + 0.5 * observation[3]", "")
    settings = {"environment_id": "CartPole-v1"}
    evidence = probe(
        "agent", weak, settings=settings, seeds=(1, 2, 3), seed_set=SeedSet.FINAL, films=True
    )

    returns = [episode.episode_return for episode in evidence.episodes]
    assert min(returns) < max(returns) < 100
    assert [film.episode_return for film in evidence.films] == [min(returns), max(returns)]
    assert all(frame.values is None for film in evidence.films for frame in film.frames)


def test_an_agent_with_random_weights_is_asked_for_those_it_played_with(probe: Any) -> None:
    evidence = probe("agent", WITH_MODEL, settings=settled(), seeds=(1, 2), films=True)

    assert evidence.films

    for film in evidence.films:
        for frame in film.frames[:-1]:
            assert frame.values.index(max(frame.values)) == frame.taken


@pytest.mark.parametrize("answer", ["1 / 0", "time.sleep(60)", "os._exit(3)", "['x', None]"])
def test_nothing_that_goes_wrong_with_values_costs_anything(contexts: Any, answer: str) -> None:
    source = LEANING.replace("class", "import os, time\n    class") + (
        f"\n        def q_values(self, observation):\n            return {answer}\n"
    )
    limits = Limits(call_wall_s=3, call_cpu_s=2)
    context = contexts("agent", source, settings=settled(), seeds=(1, 2), limits=limits, films=True)

    evidence = context.kind.collect(context)

    without = replace(context, films=False)
    assert evidence.model_copy(update={"films": ()}) == without.kind.collect(without)
    assert evidence.films
    assert all(frame.values is None for film in evidence.films for frame in film.frames)


def test_no_film_is_made_where_none_is_wanted(contexts: Any) -> None:
    context = contexts("agent", LEANING, settings=settled(), seeds=(1,), films=False)

    evidence = context.kind.collect(context)

    assert evidence.episodes
    assert evidence.films == ()
