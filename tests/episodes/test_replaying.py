import pytest

from grader.episodes.replaying import other_versions, replay
from grader.episodes.rollout import play
from grader.records.agent_settings import AgentSettings
from grader.records.receipts import Receipt

CARTPOLE = AgentSettings(environment_id="CartPole-v1")


@pytest.fixture(scope="module")
def episode():
    return play(CARTPOLE, 4, lambda _o, _s: 0).episode


def test_an_honest_receipt_comes_out_the_same(episode):
    replayed = replay(CARTPOLE, episode)
    assert replayed.same
    assert (replayed.episode_return, replayed.steps) == (
        episode.episode_return, len(episode.actions),
    )  # fmt: skip
    assert (replayed.terminated, replayed.truncated) == (True, False)


@pytest.mark.parametrize(
    ("change", "step", "expected", "received"),
    [
        ({"rewards": lambda e: (1.0, 1.0, 5.0, *e.rewards[3:])}, 2, "reward 5.0", "reward 1.0"),
        ({"seed": lambda _: 5}, None, "", ""),
        ({"episode_return": lambda e: e.episode_return + 1}, -1, "return 9.0", "return 8.0"),
        ({"terminated": lambda _: False}, -2, "reward 1.0", "reward 1.0, terminated"),
        ({"truncated": lambda _: True}, -2, "reward 1.0, terminated, truncated",
         "reward 1.0, terminated"),
        ({"actions": lambda e: (*e.actions, 0), "rewards": lambda e: (*e.rewards, 1.0)}, -2,
         "reward 1.0", "reward 1.0, terminated"),
        ({"actions": lambda e: (0, 7, *e.actions[2:])}, 1, "reward 1.0",
         "the action is not in the action space"),
        ({"actions": lambda e: (0, (1, 2), *e.actions[2:])}, 1, "reward 1.0",
         "the action is not in the action space"),
        ({"rewards": lambda e: e.rewards[:3]}, 3, "no reward", "reward 1.0"),
        ({"rewards": lambda e: (*e.rewards, 5.0)}, -1, "9 rewards", "8 steps"),
        ({"actions": lambda e: (0, 0.7, *e.actions[2:])}, 1, "reward 1.0",
         "the action is not in the action space"),
    ],
)  # fmt: skip
def test_a_receipt_that_tells_something_else_is_found_out(
    episode, change, step, expected, received
):
    forged = episode.model_copy(update={name: made(episode) for name, made in change.items()})
    replayed = replay(CARTPOLE, forged)
    if step is None:  # another seed may play to the same end; the receipt is another one then
        assert replayed.same == (len(forged.actions) == replayed.steps and replayed.terminated)
        return
    assert not replayed.same
    assert replayed.difference == (len(episode.actions) + 1 + step if step < 0 else step)
    assert (replayed.expected, replayed.received) == (expected, received)


def test_an_episode_that_ends_earlier_is_a_difference(episode):
    longer = CARTPOLE.model_copy(update={"max_episode_steps": 5})
    replayed = replay(longer, episode)
    assert (replayed.same, replayed.steps, replayed.difference) == (False, 5, 4)
    assert replayed.received == "reward 1.0, truncated"


def test_only_packages_with_another_version_are_named(episode):
    receipt = Receipt(
        submission="alice", work="sha256:0", part="agent", n=1, environment=CARTPOLE.played(),
        wrappers=(), versions={"numpy": "0.1", "no-such-package": "1.0"}, episode=episode,
    )  # fmt: skip
    others = other_versions(receipt)
    assert others["numpy"][0] == "0.1"
    assert others["no-such-package"] == ("1.0", "not installed")
    assert other_versions(receipt.model_copy(update={"versions": {}})) == {}
