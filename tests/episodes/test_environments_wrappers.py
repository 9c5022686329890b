"""Every wrapper of the allow-list does what its record says, and observations stay in the space."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from grader.episodes import wrapping
from grader.episodes.environments import environment
from grader.episodes.random_play import random_actions
from grader.records.environments import PlayedEnvironment
from grader.records.wrappers import (
    AtariPreprocessing,
    ChannelsLastObservation,
    ClipAction,
    DelayObservation,
    DiscretizeAction,
    DiscretizeObservation,
    DtypeObservation,
    FilterObservation,
    FlattenObservation,
    FrameStackObservation,
    GrayscaleObservation,
    KeyObservation,
    MaxAndSkipObservation,
    RandomActions,
    RepeatAction,
    RescaleAction,
    RescaleObservation,
    ReshapeObservation,
    ResizeObservation,
    StickyAction,
    TimeAwareObservation,
    WrapperEntry,
)

PENDULUM, CARTPOLE, CLIFF = "Pendulum-v1", "CartPole-v1", "CliffWalking-v1"
TIMED = TimeAwareObservation(flatten=False)
PICTURES = (GrayscaleObservation(), ResizeObservation(shape=(30, 40)))
PUT_ON = [
    (CARTPOLE, (DelayObservation(delay=2),), "(4,) float32", "Discrete(2)"),
    (CARTPOLE, (DtypeObservation(dtype="float64"),), "(4,) float64", "Discrete(2)"),
    (CARTPOLE, (FrameStackObservation(stack_size=3),), "(3, 4) float32", "Discrete(2)"),
    (CARTPOLE, (ReshapeObservation(shape=(2, 2, 1)),), "(2, 2, 1) float32", "Discrete(2)"),
    (CARTPOLE, (TimeAwareObservation(normalize_time=True),), "(5,) float32", "Discrete(2)"),
    (CARTPOLE, (TIMED, KeyObservation(key="time")), "(1,) int32", "Discrete(2)"),
    (
        CARTPOLE,
        (TIMED, FilterObservation(filter_keys=("obs",)), FlattenObservation()),
        "(4,) float32",
        "Discrete(2)",
    ),
    (CARTPOLE, (StickyAction(repeat_action_probability=0.5),), "(4,) float32", "Discrete(2)"),
    (CLIFF, (RandomActions(probability=0.5),), "() int64", "Discrete(4)"),
    (PENDULUM, (ClipAction(),), "(3,) float32", "Box(-inf, inf, (1,), float32)"),
    (PENDULUM, (DiscretizeAction(bins=5),), "(3,) float32", "Discrete(5)"),
    (
        PENDULUM,
        (DiscretizeObservation(bins=(3, 3, 4)),),
        "() int64",
        "Box(-2.0, 2.0, (1,), float32)",
    ),
    (PENDULUM, (RepeatAction(num_repeats=3),), "(3,) float32", "Box(-2.0, 2.0, (1,), float32)"),
    (
        PENDULUM,
        (RescaleAction(min_action=-1.0, max_action=(1.0,)),),
        "(3,) float32",
        "Box(-1.0, 1.0, (1,), float32)",
    ),
    (
        PENDULUM,
        (RescaleObservation(min_obs=-1.0, max_obs=(1.0, 1.0, 1.0)),),
        "(3,) float32",
        "Box(-2.0, 2.0, (1,), float32)",
    ),
    ("ALE/Pong-v5", PICTURES, "(30, 40) uint8", "Discrete(6)"),
    (
        "ALE/Pong-v5",
        (MaxAndSkipObservation(skip=2), ResizeObservation(shape=(42, 42))),
        "(42, 42, 3) uint8",
        "Discrete(6)",
    ),
    (
        "ALE/Pong-v5",
        (*PICTURES, FrameStackObservation(stack_size=2), ChannelsLastObservation()),
        "(30, 40, 2) uint8",
        "Discrete(6)",
    ),
    (
        "ALE/Pong-v5",
        (AtariPreprocessing(frame_skip=2, screen_size=(40, 30), grayscale_newaxis=True),),
        "(30, 40, 1) uint8",
        "Discrete(6)",
    ),
]


def settings_of(name: str, wrappers: tuple[WrapperEntry, ...]) -> PlayedEnvironment:
    kwargs: dict[str, Any] = {"frameskip": 1} if name.startswith("ALE/") else {}
    return PlayedEnvironment(environment_id=name, environment_kwargs=kwargs, wrappers=wrappers)


@pytest.mark.parametrize(
    ("name", "wrappers", "observed", "actions"),
    PUT_ON,
    ids=lambda value: "-".join(e.wrapper for e in value) if isinstance(value, tuple) else "",
)
def test_an_agent_gets_what_the_wrappers_make(
    name: str, wrappers: tuple[WrapperEntry, ...], observed: str, actions: str
) -> None:
    with environment(settings_of(name, wrappers)) as env:
        observation, _ = env.reset(seed=1)
        act = random_actions(env.action_space, 1)
        for step in range(12):
            if isinstance(observation, dict):
                (observation,) = observation.values()
            else:
                assert env.observation_space.contains(observation)
            array = np.asarray(observation)
            assert f"{array.shape} {array.dtype}" == observed
            observation, *_ = env.step(act(observation, step))
        assert str(env.action_space) == actions


def test_every_wrapper_of_the_list_was_put_on() -> None:
    union, _ = get_args(WrapperEntry)
    used = {type(entry) for _, wrappers, *_ in PUT_ON for entry in wrappers}
    assert used == set(get_args(union))


def test_an_argument_left_out_is_gymnasiums_own() -> None:
    import inspect

    union, _ = get_args(WrapperEntry)
    compared = 0
    for record in get_args(union):
        own = getattr(gymnasium.wrappers, record.__name__, None)
        taken = inspect.signature(own).parameters if own is not None else {}
        for field, info in record.model_fields.items():
            if field == "wrapper" or own is None:
                continue
            assert field in taken
            if not info.is_required():
                assert info.default == taken[field].default
                compared += 1
    assert compared > 10


def test_wrappers_are_put_on_in_their_order() -> None:
    inside_first = (RepeatAction(num_repeats=2), TIMED, KeyObservation(key="time"))
    with environment(
        PlayedEnvironment(environment_id=PENDULUM, wrappers=inside_first, max_episode_steps=50)
    ) as env:
        env.reset(seed=1)
        assert [int(env.step(np.zeros(1, np.float32))[0][0]) for _ in range(3)] == [1, 2, 3]


class Noted(gymnasium.Env[Any, Any]):
    """Notes the actions that reach it."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        self.observation_space = spaces.Discrete(1)
        self.action_space = space
        self.taken: list[Any] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed, options=options)
        self.taken = []
        return 0, {}

    def step(self, action: Any) -> Any:
        self.taken.append(action)
        return 0, 0.0, False, False, {}


def taken(probability: float, seed: int, actions: list[int]) -> list[int]:
    inside = Noted(spaces.Discrete(4))
    env = wrapping.RandomActions(inside, probability)
    env.reset(seed=seed)
    for action in actions:
        env.step(action)
    return [int(action) for action in inside.taken]


def test_a_share_of_the_actions_is_replaced_uniformly() -> None:
    steps = 4000
    got = taken(0.2, 11, [7] * steps)  # 7 is no action, so that the drawn ones show
    drawn = Counter(action for action in got if action != 7)
    replaced = sum(drawn.values())
    assert abs(replaced / steps - 0.2) < 3 * (0.2 * 0.8 / steps) ** 0.5
    assert sorted(drawn) == [0, 1, 2, 3]
    assert all(
        abs(count - replaced / 4) < 4 * (replaced * 3 / 16) ** 0.5 for count in drawn.values()
    )
    assert taken(0.0, 11, [7] * 50) == [7] * 50
    assert 7 not in taken(1.0, 11, [7] * 50)


def test_what_is_replaced_follows_from_the_seed_and_not_from_the_agent() -> None:
    one, other = taken(0.3, 5, [7] * 200), taken(0.3, 5, [8] * 200)
    assert [action == 7 for action in one] == [action == 8 for action in other]
    assert [a for a in one if a != 7] == [a for a in other if a != 8]
    assert taken(0.3, 6, [7] * 200) != one


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(5, start=-2),
        spaces.MultiDiscrete([3, 4]),
        spaces.MultiBinary(3),
        spaces.Box(-1.0, 2.0, (2,)),
        spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Box(0.0, 1.0, (1,))}),
        spaces.Tuple((spaces.Discrete(2), spaces.Discrete(6))),
    ],
    ids=str,
)
def test_the_random_agent_draws_from_any_space_and_repeats_itself(space: Any) -> None:
    def drawn(seed: int) -> list[Any]:
        act = random_actions(space, seed)
        return [act(None, step) for step in range(30)]

    first = drawn(2**63 - 1)
    assert all(space.contains(action) for action in first)
    assert repr(drawn(2**63 - 1)) == repr(first)
    assert repr(drawn(2**63 - 2)) != repr(first)


def test_the_random_agent_draws_apart_from_the_environment() -> None:
    space = spaces.Discrete(1000)
    act = random_actions(space, 42)
    drawn = [act(None, step) for step in range(5)]
    space.seed(42)
    assert [space.sample() for _ in range(5)] != drawn
    assert len(set(drawn)) > 1
