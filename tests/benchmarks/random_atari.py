"""Plays Atari games at random, as Mnih et al. 2015 measured their random agent.

The agent of the paper chooses uniformly, ten times in a second: every sixth frame. Games begin with
up to 30 no-ops and last five minutes at most (Nature 518, Methods, "Evaluation procedure"; the
means stand in Extended Data Table 2). Everything is played as an assignment with `protocol =
"mnih_2015"` is, through the environments and the random agent of the grader.

    python tests/benchmarks/random_atari.py [--episodes 100] [--first-seed 1]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy import stats

from grader.episodes.environments import environment
from grader.episodes.random_play import random_actions
from grader.records.environments import PlayedEnvironment, Protocol, ProtocolSettings

PUBLISHED = {"Breakout": 1.7, "Pong": -20.7, "Freeway": 0.0, "SpaceInvaders": 148.0}
"""Mean return of the paper's random agent, over 30 games."""
TEN_TIMES_A_SECOND = ProtocolSettings(frame_skip=6, epsilon=0.0)


def episode_return(game: str, seed: int) -> float:
    settings = PlayedEnvironment(
        environment_id=f"ALE/{game}-v5",
        protocol=Protocol.MNIH_2015,
        protocol_settings=TEN_TIMES_A_SECOND,
    )
    with environment(settings) as env:
        observation, _ = env.reset(seed=seed)
        act = random_actions(env.action_space, seed)
        total, step, over = 0.0, 0, False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(act(observation, step))
            total += float(reward)
            step += 1
            over = bool(terminated or truncated)
    return total


def half_width(returns: list[float]) -> float:
    """Half the width of the 95 % interval of the mean, by Student's t."""
    error = float(np.std(returns, ddof=1)) / len(returns) ** 0.5
    return float(stats.t.ppf(0.975, len(returns) - 1)) * error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.episodes)
    print("| game | episodes | mean | 95 % interval | paper | seconds |")
    print("|---|---|---|---|---|---|")
    for game, published in PUBLISHED.items():
        started = time.perf_counter()
        returns = [episode_return(game, seed) for seed in seeds]
        mean, half = float(np.mean(returns)), half_width(returns)
        print(
            f"| {game} | {len(returns)} | {mean:.2f} | {mean - half:.2f} to {mean + half:.2f} | "
            f"{published:g} | {time.perf_counter() - started:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
