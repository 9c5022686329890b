"""Targets of temporal-difference learning and returns, right and as people get them wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from grader.checks.function_codes import FunctionCode
from grader.checks.function_reference import (
    Array,
    FunctionReference,
    Mistakes,
    Told,
    Wrong,
    combined,
    explainer,
)


def bellman_target(rewards: Array, next_q_values: Array, dones: Array, gamma: float) -> Array:
    """Targets of Q-learning: r + γ · max over a of Q(s', a), and r alone where the episode ends.

    Mnih et al., *Human-level control through deep reinforcement learning*, Nature 518:529 (2015),
    algorithm 1.

    Args:
        rewards: shape (batch,).
        next_q_values: the target network's values of the next states, shape (batch, actions).
        dones: whether the transition ended its episode, shape (batch,).
        gamma: discount, 0 to 1.

    Returns:
        float64, shape (batch,).
    """
    best = np.asarray(next_q_values, np.float64).max(axis=1)
    targets: Array = np.asarray(rewards, np.float64) + gamma * best * ~np.asarray(dones, bool)
    return targets


def double_dqn_target(
    rewards: Array, next_q_online: Array, next_q_target: Array, dones: Array, gamma: float
) -> Array:
    """Targets of double Q-learning: the online network chooses, the target network values.

    Van Hasselt, Guez and Silver, *Deep Reinforcement Learning with Double Q-learning*
    (arXiv:1509.06461), equation 4.

    Args:
        rewards: shape (batch,).
        next_q_online: the online network's values of the next states, shape (batch, actions).
        next_q_target: the target network's, of the same shape.
        dones: whether the transition ended its episode, shape (batch,).
        gamma: discount, 0 to 1.

    Returns:
        float64, shape (batch,).
    """
    chosen = _of(next_q_target, np.argmax(next_q_online, axis=1))
    targets: Array = np.asarray(rewards, np.float64) + gamma * chosen * ~np.asarray(dones, bool)
    return targets


def td_error(
    q_values: Array, actions: Array, rewards: Array, next_q_values: Array, dones: Array,
    gamma: float,
) -> Array:  # fmt: skip
    """Temporal-difference errors: the Q-learning target minus the value of the action taken.

    Sutton and Barto, *Reinforcement Learning* (2nd edition, 2018), equation 6.8, within the square
    brackets.

    Args:
        q_values: values of the states, shape (batch, actions).
        actions: the actions taken, integers of shape (batch,).
        rewards: as for `bellman_target`.
        next_q_values: as for `bellman_target`.
        dones: as for `bellman_target`.
        gamma: as for `bellman_target`.

    Returns:
        float64, shape (batch,).
    """
    return bellman_target(rewards, next_q_values, dones, gamma) - _of(q_values, actions)


def discounted_returns(rewards: Array, gamma: float) -> Array:
    """The return from every step on: G(t) = r(t) + γ · G(t + 1).

    Sutton and Barto, *Reinforcement Learning* (2nd edition, 2018), equation 3.9.

    Args:
        rewards: of one episode, in order, shape (steps,).
        gamma: discount, 0 to 1.

    Returns:
        float64, shape (steps,).
    """
    returns = np.zeros(len(rewards))
    following = 0.0
    for step in range(len(rewards) - 1, -1, -1):
        following = float(rewards[step]) + gamma * following
        returns[step] = following
    return returns


def _of(values: Array, actions: Array) -> Array:
    chosen: Array = np.asarray(values, np.float64)[np.arange(len(values)), actions]
    return chosen


# --- mistakes -----------------------------------------------------------------------------------

Values = Iterator[tuple[str | None, Array]]

_MASK: Final = (None, "not_masked", "mask_inverted", "reward_masked", "minus_one")
_TOLD: Final[dict[str, Told]] = {
    "not_masked": Told(
        FunctionCode.NOT_MASKED, "The value of the next state counts although the episode ended.",
        "Where the episode ended there is no next state: multiply its value by `(1 - dones)`."),
    "mask_inverted": Told(
        FunctionCode.MASK_INVERTED, "The value of the next state counts only where the episode "
        "ended.", "Multiply by `(1 - dones)`, not by `dones`."),
    "reward_masked": Told(
        FunctionCode.REWARD_MASKED, "The last reward of an episode is lost.",
        "The mask belongs to the value of the next state alone: `rewards + (1 - dones) * gamma * "
        "best`."),
    "minus_one": Told(
        FunctionCode.REWARD_MASKED, "The target at the end of an episode is −1 instead of its "
        "reward.", "The mask belongs to the value of the next state alone: `rewards + (1 - dones) "
        "* gamma * best`."),
    "axis": Told(
        FunctionCode.WRONG_AXIS, "The maximum is taken over the batch instead of the actions.",
        "The values have shape (batch, actions): use `np.max(next_q_values, axis=1)`."),
    "overall": Told(
        FunctionCode.WRONG_AXIS, "One maximum is taken over the whole batch.",
        "The values have shape (batch, actions): use `np.max(next_q_values, axis=1)`."),
    "no_gamma": Told(
        FunctionCode.NO_GAMMA, "The discount γ is not applied.",
        "Multiply the value of the next state by `gamma`."),
    "no_reward": Told(
        FunctionCode.NO_REWARD, "The reward is missing.", "Add `rewards`."),
    "argmax": Told(
        FunctionCode.ARGMAX, "The number of the best action is used instead of its value.",
        "Use `np.max(next_q_values, axis=1)`; `argmax` says which action, not what it is worth."),
    "mean": Told(
        FunctionCode.MEAN_VALUE, "The mean of the values is used instead of the largest one.",
        "Q-learning assumes that the best action follows: `np.max(next_q_values, axis=1)`.",
        is_slip=False),
    "minimum": Told(
        FunctionCode.MEAN_VALUE, "The smallest of the values is used instead of the largest one.",
        "Q-learning assumes that the best action follows: `np.max(next_q_values, axis=1)`.",
        is_slip=False),
    "column": Told(
        FunctionCode.COLUMN, "The result is a table where one number for each transition was "
        "asked for.", "Leave `keepdims` out, or finish with `[:, 0]`: (batch,) and (batch, 1) "
        "give (batch, batch) when they are added."),
}  # fmt: skip


def _maxima(values: Array) -> Values:
    values = np.asarray(values, np.float64)
    yield None, values.max(axis=1)
    yield "argmax", values.argmax(axis=1).astype(np.float64)
    yield "mean", values.mean(axis=1)
    yield "minimum", values.min(axis=1)
    yield "overall", np.full(len(values), values.max())
    if values.shape[0] == values.shape[1]:
        yield "axis", values.max(axis=0)


def _targets(rewards: Array, dones: Array, gamma: float, best: Values) -> Wrong:
    """Every target that follows from one of the values, right and wrong."""
    rewards, ends = np.asarray(rewards, np.float64), np.asarray(dones, np.float64)
    for what, value in best:
        for no_gamma in (None, "no_gamma"):
            following = value if no_gamma else gamma * value
            for no_reward in (None, "no_reward"):
                reward = 0 * rewards if no_reward else rewards
                for mask in _MASK:
                    target = _masked(reward, following, ends, mask)
                    yield combined(what, no_gamma, no_reward, mask), target
            yield from _tables(rewards, ends, following, combined(what, no_gamma))


def _masked(reward: Array, following: Array, ends: Array, mask: str | None) -> Array:
    masked: dict[str | None, Array] = {
        None: reward + (1 - ends) * following,
        "not_masked": reward + following,
        "mask_inverted": reward + ends * following,
        "reward_masked": (1 - ends) * (reward + following),
        "minus_one": (1 - ends) * (reward + following) - ends,
    }
    return masked[mask]


def _tables(rewards: Array, ends: Array, following: Array, mistakes: Mistakes) -> Wrong:
    wrong = mistakes | {"column"}
    right = rewards + (1 - ends) * following
    yield wrong, right[:, None]
    yield wrong, right[None, :]
    yield wrong, rewards + (following * (1 - ends))[:, None]
    yield wrong, rewards + following[:, None] * (1 - ends)
    yield wrong | {"not_masked"}, rewards + following[:, None]


def _wrong_bellman(rewards: Array, next_q_values: Array, dones: Array, gamma: float) -> Wrong:
    yield from _targets(rewards, dones, gamma, _maxima(next_q_values))


_TOLD_DOUBLE: Final[dict[str, Told]] = {
    "not_double": Told(
        FunctionCode.NOT_DOUBLE, "The network that chooses the action values it too, as in "
        "ordinary Q-learning.", "Choose with the online network and value with the target "
        "network: `best = np.argmax(next_q_online, axis=1)`, then "
        "`next_q_target[np.arange(len(best)), best]`."),
    "exchanged": Told(
        FunctionCode.DOUBLE_EXCHANGED, "The roles of the two networks are exchanged.",
        "The online network chooses the action, the target network values it."),
} | _TOLD  # fmt: skip


def _wrong_double(
    rewards: Array, next_q_online: Array, next_q_target: Array, dones: Array, gamma: float
) -> Wrong:
    def values() -> Values:
        yield None, _of(next_q_target, np.argmax(next_q_online, axis=1))
        yield "not_double", np.asarray(next_q_target, np.float64).max(axis=1)
        yield "not_double", np.asarray(next_q_online, np.float64).max(axis=1)
        yield "exchanged", _of(next_q_online, np.argmax(next_q_target, axis=1))
        yield "argmax", np.argmax(next_q_online, axis=1).astype(np.float64)

    yield from _targets(rewards, dones, gamma, values())


_TOLD_TD: Final[dict[str, Told]] = {
    "sign": Told(
        FunctionCode.TD_SIGN, "The error has the wrong sign.",
        "It is the target minus the value: positive where things went better than expected."),
    "absolute": Told(
        FunctionCode.TD_SIZE, "The error has lost its sign.",
        "Return the difference itself; priorities and losses take its size later."),
    "squared": Told(
        FunctionCode.TD_SIZE, "The error is squared.",
        "Return the difference itself; the loss squares it later."),
    "best_value": Told(
        FunctionCode.TD_MAX, "The largest value of the state is used instead of that of the action "
        "taken.", "Use `q_values[np.arange(len(actions)), actions]`."),
    **_TOLD,
}  # fmt: skip


def _wrong_td(
    q_values: Array, actions: Array, rewards: Array, next_q_values: Array, dones: Array,
    gamma: float,
) -> Wrong:  # fmt: skip
    taken = {None: _of(q_values, actions), "best_value": np.max(q_values, axis=1)}
    for mistakes, target in _wrong_bellman(rewards, next_q_values, dones, gamma):
        if target.ndim != 1:
            continue
        for what, value in taken.items():
            error = target - value
            made = mistakes | combined(what)
            yield made, error
            yield made | {"sign"}, -error
            yield made | {"absolute"}, np.abs(error)
            yield made | {"squared"}, error**2


_TOLD_RETURNS: Final[dict[str, Told]] = {
    "forwards": Told(
        FunctionCode.FORWARDS, "The sum runs over the rewards before a step, not those after it.",
        "Go through the rewards from the last to the first."),
    "reversed": Told(
        FunctionCode.FORWARDS, "The returns come in reverse order.",
        "Turn the list around at the end, or write each return to its own place: `returns[t]`."),
    "to_start": Told(
        FunctionCode.DISCOUNTED_TO_START, "Every reward is discounted to the start of the episode.",
        "Discount to the step that the return belongs to: `g = rewards[t] + gamma * g`."),
    "no_gamma": Told(
        FunctionCode.NO_GAMMA, "The discount γ is not applied.",
        "Multiply what follows by `gamma`: `g = rewards[t] + gamma * g`."),
    "own_left_out": Told(
        FunctionCode.OWN_REWARD_LEFT_OUT, "The reward of a step is not part of its own return.",
        "`G(t)` begins with the reward that follows action t: `g = rewards[t] + gamma * g`."),
    "own_discounted": Told(
        FunctionCode.OWN_REWARD_LEFT_OUT, "The reward of a step is discounted in its own return.",
        "Discount what comes later only: `g = rewards[t] + gamma * g`, not `gamma * (rewards[t] + "
        "g)`."),
    "first_only": Told(
        FunctionCode.FIRST_RETURN_ONLY, "Only the return from the first step on comes back.",
        "Keep the return of every step: as many returns as rewards."),
    "standardised": Told(
        FunctionCode.STANDARDISED, "The returns are shifted and scaled.",
        "Return them as they are; subtracting the mean and dividing by the deviation is another "
        "step."),
}  # fmt: skip


def _wrong_returns(rewards: Array, gamma: float) -> Wrong:
    rewards = np.asarray(rewards, np.float64)
    powers = gamma ** np.arange(len(rewards))
    for no_gamma, rate in ((None, gamma), ("no_gamma", 1.0)):
        right = discounted_returns(rewards, rate)
        base = combined(no_gamma)
        yield base, right
        yield base | {"reversed"}, right[::-1]
        yield base | {"forwards"}, discounted_returns(rewards[::-1], rate)[::-1]
        yield base | {"own_left_out"}, np.append(right[1:], 0.0)
        yield base | {"own_left_out"}, right - rewards
        yield base | {"own_discounted"}, rate * right
        yield base | {"first_only"}, right[0]
        yield base | {"first_only"}, right[:1]
        for spread in (right.std(), right.std(ddof=1) if len(right) > 1 else 0.0):
            yield base | {"standardised"}, (right - right.mean()) / (spread + 1e-8)
    yield combined("to_start"), np.cumsum((rewards * powers)[::-1])[::-1]
    yield combined("to_start", "forwards"), np.cumsum(rewards * powers)
    yield combined("forwards", "no_gamma"), np.cumsum(rewards)


def _reference(
    compute: Any, wrong: Any, told: dict[str, Told], shape: str, values: str
) -> FunctionReference:
    return FunctionReference(
        compute=compute, explain=explainer(wrong, told), told=told, shape_advice=shape,
        values_advice=values, result="one number for each transition",
        no_result_advice="Return the array; a function without `return` returns None.",
    )  # fmt: skip


_ONE_EACH: Final = "Return one number for each transition: an array of shape (batch,)."
BELLMAN: Final = _reference(
    bellman_target, _wrong_bellman, _TOLD, _ONE_EACH,
    "Compute one transition by hand: `reward + gamma * max(next_q_values)`, or the reward alone "
    "where the episode ended.",
)  # fmt: skip
DOUBLE: Final = _reference(
    double_dqn_target, _wrong_double, _TOLD_DOUBLE, _ONE_EACH,
    "Compute one transition by hand: the action that is best in `next_q_online`, its value in "
    "`next_q_target`, times γ, plus the reward; the reward alone where the episode ended.",
)  # fmt: skip
TD_ERROR: Final = _reference(
    td_error, _wrong_td, _TOLD_TD, _ONE_EACH,
    "Compute one transition by hand: `reward + gamma * max(next_q_values) - q_values[action]`, "
    "without the middle term where the episode ended.",
)  # fmt: skip
RETURNS: Final = _reference(
    discounted_returns, _wrong_returns, _TOLD_RETURNS,
    "Return as many numbers as there are rewards.",
    "Compute three rewards by hand, from the last to the first: `g = rewards[t] + gamma * g`.",
)  # fmt: skip
