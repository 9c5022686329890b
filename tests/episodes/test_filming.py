import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.classic_control import cartpole
from gymnasium.envs.registration import registry

from grader.episodes.environments import environment
from grader.episodes.film_sheet import MAX_FRAMES, shown_steps
from grader.episodes.filming import NoFilm, as_picture, film_episode
from grader.episodes.rollout import play
from grader.records.agent_evidence import Episode
from grader.records.environments import PlayedEnvironment
from grader.records.films import Film
from grader.records.incident import Incident, IncidentKind

Pixels = Callable[[Film], np.ndarray]

CARTPOLE = PlayedEnvironment(environment_id="CartPole-v1")


def episode(settings: PlayedEnvironment, seed: int = 3) -> Episode:
    """An episode of random actions."""
    with environment(settings) as env:
        space = env.action_space
    space.seed(seed)
    return play(settings, seed, lambda _observation, _step: space.sample()).episode


# --- real environments --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "names", "sharp"),
    [
        ({"environment_id": "CartPole-v1"}, ("push left", "push right"), False),
        ({"environment_id": "FrozenLake-v1"}, ("left", "down", "right", "up"), False),
        ({"environment_id": "Acrobot-v1", "max_episode_steps": 120},
         ("torque −1", "torque 0", "torque +1"), False),
        ({"environment_id": "Pendulum-v1", "max_episode_steps": 5}, (), False),
        ({"environment_id": "ALE/Breakout-v5", "environment_kwargs": {"obs_type": "ram"},
          "max_episode_steps": 150}, ("no-op", "fire", "right", "left"), True),
        ({"environment_id": "MinAtar/Breakout-v1"}, ("no-op", "left", "right"), True),
        ({"environment_id": "VizdoomBasic-v1", "max_episode_steps": 20},
         ("nothing", "attack", "move right", "move left"), False),
    ],
)  # fmt: skip
def test_an_episode_is_drawn_as_it_was_played(
    settings: dict, names: tuple[str, ...], sharp: bool, pixels: Pixels
) -> None:
    played = PlayedEnvironment(**settings)
    receipt = episode(played)

    filmed = film_episode(played, receipt, "The best")

    film = filmed.film
    assert film.title == "The best"
    assert film.steps == len(receipt.actions)
    assert film.episode_return == receipt.episode_return
    assert film.actions == names
    assert film.sharp is sharp
    assert [frame.step for frame in film.frames] == list(shown_steps(film.steps))
    assert len(filmed.observations) == len(film.frames)
    for frame in film.frames[:-1] if names else ():
        assert frame.taken == receipt.actions[frame.step]
    frames = pixels(film)
    assert not (frames == frames[0]).all()
    assert film_episode(played, receipt, "The best").film == film


def test_the_picture_of_a_step_is_the_one_seen_before_it(pixels: Pixels) -> None:
    played = PlayedEnvironment(environment_id="ALE/Pong-v5", max_episode_steps=130)
    receipt = episode(played)

    film = film_episode(played, receipt, "Pong").film

    with environment(played, render_mode="rgb_array") as env:
        env.reset(seed=receipt.seed)
        drawn = [env.render()]
        for action in receipt.actions:
            env.step(action)
            drawn.append(env.render())
    expected = np.stack([drawn[frame.step] for frame in film.frames])
    assert np.array_equal(pixels(film), expected)


def test_pictures_left_out_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []
    render = cartpole.CartPoleEnv.render

    def counting(self: cartpole.CartPoleEnv) -> object:
        drawn.append(None)
        return render(self)

    monkeypatch.setattr(cartpole.CartPoleEnv, "render", counting)
    weights = np.array([0.02, 0.05, 1.0, 0.4])
    long = play(CARTPOLE, 3, lambda seen, _: int(seen @ weights > 0)).episode
    assert len(long.actions) > 2 * MAX_FRAMES

    film_episode(CARTPOLE, long, "Long")

    assert len(drawn) == MAX_FRAMES


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ({"terminated": True}, "The environment ended it (terminated)."),
        ({"truncated": True}, "It was cut off at the limit of steps (truncated)."),
        ({"invalid_action": "9"}, "An action outside the action space ended it."),
        (
            {"incident": Incident(kind=IncidentKind.EXITED, stage="<b>", message="<b>")},
            "It ended early: the agent gave no further action.",
        ),
    ],
)
def test_an_episode_that_breaks_off_is_filmed_as_far_as_it_went(ending: dict, words: str) -> None:
    whole = episode(CARTPOLE)
    cut = Episode(
        seed=3, actions=whole.actions[:4], rewards=whole.rewards[:4], episode_return=4.0, **ending
    )

    film = film_episode(CARTPOLE, cut, "Cut").film

    assert film.ending == words
    assert (film.steps, len(film.frames)) == (4, 5)


def test_a_receipt_that_does_not_come_about_again_is_not_filmed() -> None:
    receipt = episode(CARTPOLE)
    forged = receipt.model_copy(update={"rewards": (*receipt.rewards[:-1], 100.0)})
    longer = receipt.model_copy(
        update={"actions": (*receipt.actions, 0), "rewards": (*receipt.rewards, 1.0)}
    )

    with pytest.raises(NoFilm, match="does not come about again"):
        film_episode(CARTPOLE, forged, "Forged")
    with pytest.raises(NoFilm, match="after the end"):
        film_episode(CARTPOLE, longer, "Longer")


def test_no_film_without_a_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = episode(CARTPOLE)
    monkeypatch.setitem(sys.modules, "pygame", None)

    with pytest.raises(NoFilm, match="pygame is not installed"):
        film_episode(CARTPOLE, receipt, "None")


class Blinking(gymnasium.Env):
    """A light that an agent sees and nobody draws."""

    def __init__(self, size: int = 8) -> None:
        shape = (size, 9, 1)
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)
        self.action_space = spaces.Discrete(2, start=5)
        self._light = np.zeros(shape, np.uint8)

    def reset(self, *, seed=None, options=None):  # type: ignore[no-untyped-def]  # noqa: ARG002
        super().reset(seed=seed)
        self._light[:] = 0
        return self._light, {}

    def step(self, action):  # type: ignore[no-untyped-def]  # noqa: ARG002
        self._light[:] += 40
        return self._light, 1.0, bool(self._light.max() >= 120), False, {}


@pytest.fixture
def blinking() -> Iterator[str]:
    gymnasium.register("FilmedLight-v0", Blinking)
    yield "FilmedLight-v0"
    del registry["FilmedLight-v0"]


def test_an_environment_that_cannot_draw_is_filmed_by_what_is_observed(
    blinking: str, pixels: Pixels
) -> None:
    played = PlayedEnvironment(environment_id=blinking)

    filmed = film_episode(played, episode(played), "Light")

    assert pixels(filmed.film).max(axis=(1, 2, 3)).tolist() == [0, 40, 80, 120]
    # The environment hands out one buffer again and again.
    assert [int(seen.max()) for seen in filmed.observations] == [0, 40, 80, 120]
    assert filmed.film.actions == ("5", "6")
    assert filmed.film.frames[0].action in {"5", "6"}


def test_numbers_are_no_picture(blinking: str) -> None:
    played = PlayedEnvironment(environment_id=blinking, environment_kwargs={"size": 1})

    with pytest.raises(NoFilm, match="draws nothing"):
        film_episode(played, episode(played), "Light")


def test_filming_prints_nothing_and_leaves_signals_alone() -> None:
    # Run in a process of its own: pygame prints when it is first imported, and SDL would take
    # SIGTERM for an event.
    code = """
        import os, signal
        from grader.episodes.filming import film_episode
        from grader.records.agent_evidence import Episode
        from grader.records.environments import PlayedEnvironment
        receipt = Episode(seed=3, actions=(0, 1), rewards=(1.0, 1.0), episode_return=2.0)
        film_episode(PlayedEnvironment(environment_id="CartPole-v1"), receipt, "Film")
        lake = Episode(seed=3, actions=(0, 1), rewards=(0.0, 0.0), episode_return=0.0)
        film_episode(PlayedEnvironment(environment_id="FrozenLake-v1"), lake, "Film")
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (-15, b"", b"")


# --- images and words ---------------------------------------------------------------------------


def test_images_of_many_kinds_become_pictures() -> None:
    grey = np.arange(60, dtype=np.uint8).reshape(6, 10)
    stack = np.stack([grey, grey + 1], axis=-1)

    assert np.array_equal(as_picture(grey)[..., 0], grey)
    assert np.array_equal(as_picture(grey[..., None])[..., 2], grey)
    assert np.array_equal(as_picture(stack)[..., 1], grey + 1)
    assert as_picture(np.full((6, 6, 3), 0.5)).tolist() == np.full((6, 6, 3), 128).tolist()
    assert as_picture(grey > 30).max() == 255
    for image in (np.full((6, 6), 2.0), grey.astype(np.int64), np.zeros(9, np.uint8), "x", None,
                  np.zeros((4, 6, 3), np.uint8), np.zeros((6, 6, 99), np.uint8)):  # fmt: skip
        assert as_picture(image) is None


def test_channels_of_yes_and_no_get_a_colour_each() -> None:
    channels = np.zeros((6, 6, 3), np.bool_)
    channels[1, 1, 0] = channels[2, 2, 1] = channels[3, 3, :] = True

    picture = as_picture(channels)

    assert picture[0, 0].tolist() == [0, 0, 0]
    colours = {tuple(picture[place, place]) for place in (1, 2, 3)}
    assert len(colours) == 3
