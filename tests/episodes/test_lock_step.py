import numpy as np
import pytest

from grader.episodes.lock_step import GROUP, WrongRows, groups, play_in_step, rows_of, stacked
from grader.episodes.rollout import play
from grader.errors import GraderFault
from grader.records.agent_settings import AgentSettings
from grader.records.incident import Incident, IncidentKind

CARTPOLE = AgentSettings(environment_id="CartPole-v1", max_episode_steps=120)
STICKY = AgentSettings(environment_id="MinAtar/Breakout-v1", max_episode_steps=60)
SEEDS = (3, 8, 21, 5)


def lean(observation, step):
    return int(observation[2] > 0) ^ int(step % 4 == 0)


def look(observation, step):
    return int(observation.sum() + step) % 3


@pytest.mark.parametrize(("settings", "act"), [(CARTPOLE, lean), (STICKY, look)])
def test_the_receipts_are_those_of_playing_one_by_one(settings, act):
    shapes = set()

    def act_batch(observations, step, running):
        shapes.add(observations.shape)
        assert 0 < running <= len(SEEDS)
        return [act(observation, step) for observation in observations]

    together = play_in_step(settings, SEEDS, act_batch)
    assert together == [play(settings, seed, act).episode for seed in SEEDS]
    assert len({len(episode.actions) for episode in together}) > 1
    assert len(shapes) == 1  # ended episodes keep their rows


def test_a_wrong_action_ends_its_own_episode_alone():
    def act_batch(observations, step, _running):
        actions = [lean(observation, step) for observation in observations]
        if step == 5:
            actions[1] = 7
        return actions

    episodes = play_in_step(CARTPOLE, SEEDS, act_batch)
    assert episodes[1].invalid_action == "7 (int)"
    assert len(episodes[1].actions) == 5
    for number in (0, 2, 3):
        assert episodes[number] == play(CARTPOLE, SEEDS[number], lean).episode


def test_an_incident_ends_the_episodes_that_still_run():
    incident = Incident(kind=IncidentKind.RAISED, stage="acting")
    lengths = [len(play(CARTPOLE, seed, lambda _o, _s: 0).episode.actions) for seed in SEEDS]
    at = sorted(lengths)[1]

    def act_batch(observations, step, _running):
        if step == at:
            raise ValueError("no more")
        return [0] * len(observations)

    episodes = play_in_step(CARTPOLE, SEEDS, act_batch, lambda _: incident)
    assert [each.incident for each in episodes] == [
        incident if length > at else None for length in lengths
    ]
    with pytest.raises(ValueError, match="no more"):
        play_in_step(CARTPOLE, SEEDS, act_batch)


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        ([1, 0], [1, 0]),
        ((1, 0), [1, 0]),
        (np.array([1, 0]), [1, 0]),
        (np.array([[0.5], [1.5]]), [np.array([0.5]), np.array([1.5])]),
        ({"a": [1, 0], "b": np.array([3, 4])}, [{"a": 1, "b": 3}, {"a": 0, "b": 4}]),
        ([[0.5], (1, [2, 3])], [[0.5], (1, [2, 3])]),
    ],
)
def test_a_batch_of_answers_is_one_for_each_row(answer, rows):
    assert rows_of(answer, 2) == rows


@pytest.mark.parametrize(
    "answer", [1, None, "ab", np.array(1), [1], [1, 0, 1], np.zeros((1, 2)), {"a": [1]}]
)
def test_an_answer_with_other_rows_is_refused(answer):
    with pytest.raises(WrongRows, match="2 observations were shown"):
        rows_of(answer, 2)


def test_observations_of_every_form_are_stacked():
    assert stacked([3, 4]).tolist() == [3, 4]
    together = stacked([{"a": np.zeros(2), "b": (1, 2)}, {"a": np.ones(2), "b": (3, 4)}])
    assert together["a"].tolist() == [[0, 0], [1, 1]]
    assert [column.tolist() for column in together["b"]] == [[1, 3], [2, 4]]
    assert stacked([np.zeros((2, 3), np.uint8)] * 4).dtype == np.uint8
    with pytest.raises(GraderFault, match="one batch"):
        stacked([np.zeros(2), np.zeros(3)])


def test_many_seeds_are_played_in_groups():
    assert groups(range(GROUP + 3)) == [tuple(range(GROUP)), (GROUP, GROUP + 1, GROUP + 2)]
