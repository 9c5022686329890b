import base64
import math
from collections.abc import Callable

import numpy as np
import pytest

from grader.episodes.film_sheet import (
    COLUMNS,
    ENDING_STEPS,
    MAX_FRAMES,
    MAX_HEIGHT,
    MAX_SHEET_BYTES,
    MAX_WIDTH,
    make_film,
    shown_steps,
    with_values,
)
from grader.records.films import Film

Pixels = Callable[[Film], np.ndarray]


def moving(steps: int, height: int = 20, width: int = 30) -> np.ndarray:
    pictures = np.zeros((steps + 1, height, width, 3), np.uint8)
    for step, picture in enumerate(pictures):
        picture[step % height, step % width] = (255, step % 100, 7)
    return pictures


def film_of(pictures: np.ndarray, **options: object) -> Film:
    steps = len(pictures) - 1
    given = {"title": "An episode", "actions": ["up"] * steps, "rewards": [1.0] * steps}
    return make_film(pictures, **{**given, **options})


# --- which steps --------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 1, 30, MAX_FRAMES - 1])
def test_a_short_episode_is_shown_in_full(steps: int) -> None:
    assert shown_steps(steps) == tuple(range(steps + 1))


@pytest.mark.parametrize("steps", [100, 101, 128, 131, 500, 27_000])
def test_a_long_one_is_thinned_evenly_and_its_ending_kept_in_full(steps: int) -> None:
    shown = shown_steps(steps)

    assert len(shown) == MAX_FRAMES
    assert shown[0] == 0
    assert shown[-ENDING_STEPS - 1 :] == tuple(range(steps - ENDING_STEPS, steps + 1))
    gaps = np.diff(shown[: -ENDING_STEPS - 1])
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


# --- the sheet ----------------------------------------------------------------------------------


def test_the_sheet_holds_the_pictures_themselves_where_colours_are_few(pixels: Pixels) -> None:
    pictures = moving(34)

    film = film_of(pictures)

    assert film.sharp
    assert film.columns == COLUMNS
    assert np.array_equal(pixels(film), pictures)


def test_the_same_pictures_give_the_same_bytes() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (12, 50, 50, 3), dtype=np.uint8)

    assert film_of(noise).sheet == film_of(noise.copy()).sheet


def test_a_large_picture_is_shrunk_by_means_of_squares(pixels: Pixels) -> None:
    picture = np.zeros((1, 400, 600, 3), np.uint8)
    picture[0, ::2] = 200

    film = film_of(picture)

    assert (film.frame_width, film.frame_height) == (150, 100)
    assert not film.sharp
    assert set(pixels(film).flat) == {100}


@pytest.mark.parametrize("shape", [(210, 160), (2000, 3), (1, 5000), (90, 161)])
def test_no_picture_is_larger_than_the_bounds(shape: tuple[int, int], pixels: Pixels) -> None:
    film = film_of(np.full((2, *shape, 3), 90, np.uint8))

    assert film.frame_width <= MAX_WIDTH
    assert film.frame_height <= MAX_HEIGHT
    assert set(pixels(film).flat) == {90}


def test_the_worst_that_can_be_drawn_stays_below_a_megabyte() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (MAX_FRAMES, 210, 160, 3), dtype=np.uint8)

    film = film_of(noise)

    assert len(base64.b64decode(film.sheet)) <= MAX_SHEET_BYTES
    assert len(film.model_dump_json()) < 1_000_000
    assert not film.sharp


def test_rewards_of_steps_left_out_are_added_to_those_before() -> None:
    rewards = [0.5] * 400

    film = film_of(moving(400), rewards=rewards, actions=[str(step) for step in range(400)])

    assert film.episode_return == 200
    assert [frame.step for frame in film.frames] == list(shown_steps(400))
    assert sum(frame.reward for frame in film.frames[:-1]) == 200
    assert film.frames[1].reward == 0.5 * (film.frames[2].step - film.frames[1].step)
    assert all(frame.total == 0.5 * frame.step for frame in film.frames)
    assert film.frames[2].action == str(film.frames[2].step)
    assert (film.frames[-1].action, film.frames[-1].reward) == (None, None)


def test_the_place_of_an_action_among_its_names_is_known() -> None:
    film = film_of(moving(2), actions=["down", "sideways"], names=("up", "down"))

    assert [frame.taken for frame in film.frames] == [1, None, None]


def test_values_stand_beside_their_frames() -> None:
    film = with_values(film_of(moving(2)), [[1.0, 2.0], [3.0, 4.0], None])

    assert [frame.values for frame in film.frames] == [(1.0, 2.0), (3.0, 4.0), None]


@pytest.mark.parametrize(
    ("pictures", "options", "why"),
    [
        (moving(3)[:-1], {"actions": ["up"] * 3, "rewards": [1.0] * 3}, "3 pictures"),
        (moving(3), {"actions": ["up"] * 2, "rewards": [1.0] * 2}, "4 pictures or more"),
        (moving(3), {"rewards": [1.0]}, "1 rewards for 3 actions"),
        (moving(3), {"shown": (0, 3)}, "4 pictures for 2 steps"),
        (moving(3).astype(np.float32), {}, "uint8"),
        (moving(3)[..., :2], {}, "uint8"),
        (moving(3)[:, :0], {}, "uint8"),
        ([moving(0)[0], moving(0, height=21)[0]], {}, "several sizes"),
        (moving(1), {"rewards": [math.inf]}, "finite"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(
    pictures: np.ndarray, options: dict, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        film_of(pictures, **options)
