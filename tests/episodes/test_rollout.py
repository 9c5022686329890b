import math
import threading
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

from grader.episodes.environments import environment
from grader.episodes.replaying import replay
from grader.episodes.rollout import play, show_again, wrappers_of
from grader.errors import GraderFault
from grader.records.agent_evidence import Episode
from grader.records.agent_settings import AgentSettings
from grader.records.incident import Incident, IncidentKind

Act = Callable[[Any, int], Any]

CARTPOLE = AgentSettings(environment_id="CartPole-v1")
ALL = [
    CARTPOLE,
    AgentSettings(environment_id="FrozenLake-v1", environment_kwargs={"map_name": "4x4"}),
    AgentSettings(environment_id="Taxi-v4"),
    AgentSettings(environment_id="MountainCarContinuous-v0", max_episode_steps=60),
    AgentSettings(environment_id="Pendulum-v1"),
]


class Leaning:
    """Pushes the cart to where the pole falls; no memory."""

    def act(self, observation: Any, step: int) -> int:
        del step
        return int(observation[2] + 0.5 * observation[3] > 0)


class Counting(Leaning):
    """An honest agent with a memory of its own episode."""

    def __init__(self) -> None:
        self.seen = 0

    def act(self, observation: Any, step: int) -> int:
        self.seen += 1
        return int(self.seen % 7 == 0) ^ super().act(observation, step)


def random_act(settings: AgentSettings, seed: int) -> Act:
    with environment(settings) as env:
        space = env.action_space
    space.seed(seed)
    return lambda _observation, _step: space.sample()


def returns(agent: Callable[[], Leaning], seeds: list[int]) -> dict[int, Episode]:
    return {seed: play(CARTPOLE, seed, agent().act).episode for seed in seeds}


@pytest.mark.parametrize("agent", [Leaning, Counting])
def test_an_episode_depends_on_agent_and_seed_and_not_on_other_episodes(agent):
    seeds = [3, 8, 21, 5, 13]
    forwards = returns(agent, seeds)
    assert returns(agent, seeds[::-1]) == forwards
    assert returns(agent, [21])[21] == forwards[21]
    assert len({episode.actions for episode in forwards.values()}) > 1


@pytest.mark.parametrize("settings", ALL, ids=lambda each: each.environment_id)
def test_a_receipt_replays_to_the_same_return_also_from_json(settings):
    for seed in (1, 2):
        episode = play(settings, seed, random_act(settings, seed)).episode
        assert episode.terminated or episode.truncated
        assert episode.invalid_action is None
        assert len(episode.actions) == len(episode.rewards)
        stored = Episode.model_validate_json(episode.model_dump_json())
        assert stored == episode
        replayed = replay(settings, stored)
        assert replayed.same
        assert replayed.episode_return == episode.episode_return


@pytest.mark.parametrize("settings", ALL, ids=lambda each: each.environment_id)
def test_the_receipt_is_that_of_gymnasium_itself(settings):
    episode = play(settings, 11, random_act(settings, 11)).episode
    act = random_act(settings, 11)
    env = gymnasium.make(
        settings.environment_id,
        max_episode_steps=settings.max_episode_steps,
        **settings.environment_kwargs,
    )
    env.reset(seed=11)
    rewards, over = [], False
    while not over:
        _, reward, terminated, truncated, _ = env.step(act(None, 0))
        rewards.append(float(reward))
        over = terminated or truncated
    env.close()
    assert episode.rewards == tuple(rewards)
    assert (episode.terminated, episode.truncated) == (terminated, truncated)
    assert math.isclose(episode.episode_return, math.fsum(rewards), abs_tol=1e-9)


def test_a_fallen_pole_is_a_termination():
    episode = play(CARTPOLE, 4, lambda _o, _s: 0).episode
    assert (episode.terminated, episode.truncated) == (True, False)
    assert 5 < episode.episode_return < 20


def test_a_step_limit_is_a_truncation():
    limited = CARTPOLE.model_copy(update={"max_episode_steps": 6})
    episode = play(limited, 4, lambda _o, step: step % 2).episode
    assert (episode.terminated, episode.truncated) == (False, True)
    assert episode.episode_return == 6.0
    assert replay(limited, episode).same


def test_the_last_action_can_both_terminate_and_reach_the_limit():
    fallen = len(play(CARTPOLE, 4, lambda _o, _s: 0).episode.actions)
    limited = CARTPOLE.model_copy(update={"max_episode_steps": fallen})
    episode = play(limited, 4, lambda _o, _s: 0).episode
    assert (episode.terminated, episode.truncated) == (True, True)


def test_an_invalid_action_ends_the_episode_with_the_return_so_far():
    played = play(CARTPOLE, 4, lambda _o, step: step % 2 if step < 5 else 2.0)
    episode = played.episode
    assert episode.invalid_action == "2.0 (float)"
    assert (len(episode.actions), episode.episode_return) == (5, 5.0)
    assert not episode.terminated
    assert not episode.truncated
    assert replay(CARTPOLE, episode).same


def test_an_invalid_first_action_leaves_an_empty_receipt():
    episode = play(CARTPOLE, 4, lambda _o, _s: None).episode
    assert (episode.actions, episode.episode_return) == ((), 0.0)
    assert replay(CARTPOLE, episode).same


class Stopped(Exception):
    """What a worker that ends would raise."""


def test_an_incident_ends_the_episode_with_the_return_so_far():
    incident = Incident(kind=IncidentKind.LIMIT, stage="calling act (step 3)")

    def act(_observation: Any, step: int) -> int:
        if step == 3:
            raise Stopped
        return step % 2

    episode = play(CARTPOLE, 4, act, lambda error: incident if type(error) is Stopped else None)
    assert episode.episode.incident == incident
    assert episode.episode.episode_return == 3.0


def test_what_is_no_incident_is_passed_on():
    def act(_observation: Any, _step: int) -> int:
        raise Stopped

    with pytest.raises(Stopped):
        play(CARTPOLE, 4, act)


def test_observations_are_those_the_agent_saw_even_if_a_buffer_is_used_again():
    seen: list[Any] = []

    def act(observation: Any, step: int) -> int:
        seen.append(observation.copy())
        return step % 2

    class Reusing(gymnasium.Wrapper[Any, Any, Any, Any]):
        def __init__(self, **_: Any) -> None:
            super().__init__(gymnasium.make("CartPole-v1"))
            self.buffer = np.zeros(4, np.float32)

        def reset(self, **options: Any) -> Any:
            self.buffer[:], info = self.env.reset(**options)
            return self.buffer, info

        def step(self, action: Any) -> Any:
            self.buffer[:], *rest = self.env.step(action)
            return self.buffer, *rest

    gymnasium.register("Reusing-v0", Reusing)
    try:
        played = play(AgentSettings(environment_id="Reusing-v0"), 4, act)
    finally:
        del gymnasium.registry["Reusing-v0"]
    np.testing.assert_array_equal(played.observations, seen)
    assert len({each.tobytes() for each in seen}) == len(seen)


@pytest.mark.parametrize(
    "settings",
    [
        AgentSettings(environment_id="CartPoal-v1"),
        AgentSettings(environment_id="CartPole-v99"),
        AgentSettings(environment_id="no_such_module:CartPole-v1"),
        AgentSettings(environment_id="CartPole-v1", environment_kwargs={"gravity_of": 3}),
    ],
    ids=str,
)
def test_an_environment_that_cannot_be_made_is_the_assignments_fault(settings):
    with pytest.raises(GraderFault, match="cannot be made"):
        play(settings, 1, lambda _o, _s: 0)


# --- one episode does not reach another ---------------------------------------------------------

STICKY = AgentSettings(environment_id="MinAtar/Breakout-v1", max_episode_steps=80)
"""Repeats its last action now and then, and carries it over a reset."""


@pytest.fixture(scope="module", params=[CARTPOLE, STICKY], ids=lambda each: each.environment_id)
def carrying(request: pytest.FixtureRequest) -> AgentSettings:
    settings: AgentSettings = request.param
    return settings


def played(settings: AgentSettings, seeds: list[int]) -> dict[int, Episode]:
    return {seed: play(settings, seed, random_act(settings, seed)).episode for seed in seeds}


def test_order_and_company_make_no_difference(carrying):
    seeds = [5, 2, 9, 4]
    together = played(carrying, seeds)
    assert played(carrying, seeds[::-1]) == together
    assert played(carrying, seeds[1:3]) == {seed: together[seed] for seed in seeds[1:3]}
    for seed in seeds:
        assert played(carrying, [seed]) == {seed: together[seed]}


def test_load_beside_makes_no_difference(carrying):
    alone = played(carrying, [5, 2])
    stop = threading.Event()

    def burden() -> None:
        while not stop.is_set():
            played(carrying, [77])

    beside = [threading.Thread(target=burden) for _ in range(3)]
    for thread in beside:
        thread.start()
    try:
        assert played(carrying, [5, 2]) == alone
    finally:
        stop.set()
        for thread in beside:
            thread.join()


# --- showing an episode again -------------------------------------------------------------------


def test_what_was_seen_is_seen_again():
    first = play(CARTPOLE, 4, Leaning().act)
    seen: list[Any] = []

    def show(observation: Any, step: int) -> bool:
        seen.append(observation.copy())
        return step < 7

    show_again(CARTPOLE, first.episode, show)
    np.testing.assert_array_equal(seen, first.observations[:8])


def test_an_environment_that_cannot_repeat_itself_is_a_fault():
    class Drawing(gymnasium.Wrapper[Any, Any, Any, Any]):
        drawn = iter(range(1000))

        def __init__(self, **_: Any) -> None:
            super().__init__(gymnasium.make("CartPole-v1"))

        def step(self, action: Any) -> Any:
            observation, _, *rest = self.env.step(action)
            return observation, float(next(self.drawn)), *rest

    gymnasium.register("Drawing-v0", Drawing)
    settings = AgentSettings(environment_id="Drawing-v0")
    try:
        episode = play(settings, 4, lambda _o, _s: 0).episode
        with pytest.raises(GraderFault, match=r"not reproducible: step 0 after reset\(seed=4\)"):
            show_again(settings, episode, lambda _o, _s: True)
    finally:
        del gymnasium.registry["Drawing-v0"]


def test_an_environment_that_fails_in_a_step_is_no_fault_of_the_agent():
    class Failing(gymnasium.Wrapper[Any, Any, Any, Any]):
        def __init__(self, **_: Any) -> None:
            super().__init__(gymnasium.make("CartPole-v1"))

        def step(self, _action: Any) -> Any:
            raise ZeroDivisionError("by nothing")

    gymnasium.register("Failing-v0", Failing)
    try:
        with pytest.raises(GraderFault, match=r"failed in step 0 after reset\(seed=4\): Zero"):
            play(AgentSettings(environment_id="Failing-v0"), 4, lambda _o, _s: 0)
    finally:
        del gymnasium.registry["Failing-v0"]


def test_the_wrappers_are_named_outermost_first():
    with environment(CARTPOLE) as env:
        assert wrappers_of(env)[0] == type(env).__name__
        assert wrappers_of(env.unwrapped) == ()
