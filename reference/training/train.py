"""Trains one of the reference agents with Keras, and records how it was done.

Run from the root of the repository::

    python reference/training/train.py minatar_breakout --seed 0 --out reference/minatar_breakout
    python reference/training/train.py vizdoom_basic --seed 0 --out reference/vizdoom_basic
    python reference/training/train.py atari_freeway --seed 0 --out reference/atari_freeway

The algorithm is Deep Q-Learning (Mnih et al., Nature 518:529, 2015) with the targets of Double
Q-Learning (van Hasselt et al., arXiv 1509.06461), returns over several steps (Hessel et al., arXiv
1710.02298) and, in Freeway, random actions that last (Dabney et al., arXiv 2006.01782).

A training that was interrupted goes on from its last checkpoint when the same command is given
again. The best of many selections is partly the luckiest of many: what the weights are worth is
measured at the end, once, on seeds that neither training nor selection has seen.

The same command on the same machine with the same versions writes the same weights, interrupted
or not.
"""

import argparse
import csv
import hashlib
import json
import os
import platform
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from environments import Act, play
from tasks import CONFIRMATION_SEEDS, SELECTION_SEEDS, TASKS, TRAINING_SEEDS, HyperParameters, Task
from trainer import CheckpointMismatch, Trainer

PACKAGES = ("tensorflow", "keras", "gymnasium", "numpy")
# Below the root of the repository, where version control passes it over.
WORK = Path("build/training")


def bounds(seeds: Sequence[int]) -> dict[str, int]:
    """Returns a range of seeds as data; `stop` is not one of them, as in Python."""
    return {"start": seeds[0], "stop": seeds[-1] + 1}


def measured(task: Task, acts: Sequence[Act], seeds: Sequence[int]) -> dict[str, Any]:
    """Plays one episode for each seed and describes the returns.

    Args:
        task: Says where is played, and the share of random actions.
        acts: Chooses the actions, one function for each episode.
        seeds: Fix the episodes.
    """
    returns = [
        play(task.make, act, seed, task.random_action_share)
        for act, seed in zip(acts, seeds, strict=True)
    ]
    return {
        "seeds": bounds(seeds),
        "mean": float(np.mean(returns)),
        "standard_error": float(np.std(returns, ddof=1) / np.sqrt(len(returns))),
        "min": min(returns),
        "max": max(returns),
        "episode_returns": returns,
    }


def random_agent(num_actions: int, seed: int) -> Act:
    """Returns an agent that draws each action uniformly, for one episode."""
    # Not the numbers that the episode of this seed draws.
    rng = np.random.default_rng([seed, 1])
    return lambda _: int(rng.integers(num_actions))


def opponents(task: Task, num_actions: int, seeds: Sequence[int]) -> dict[str, Any]:
    """Measures random play, and the scripted agent where there is one, on the same seeds."""
    found = {"random": measured(task, [random_agent(num_actions, seed) for seed in seeds], seeds)}
    scripted = task.scripted_action
    if scripted is not None:
        acts: list[Act] = [lambda _: scripted for _ in seeds]
        found["scripted"] = {"action": scripted, **measured(task, acts, seeds)}
    return found


def describe(
    task: Task,
    settings: HyperParameters,
    seed: int,
    trainer: Trainer,
    weights_file: Path,
    command: Sequence[str],
) -> dict[str, Any]:
    """Returns the manifest entry of a weight file, without what it is worth."""
    best = trainer.best_round
    assert best is not None
    return {
        "file": weights_file.name,
        "sha256": hashlib.sha256(weights_file.read_bytes()).hexdigest(),
        "environment_id": task.environment_id,
        "seed": seed,
        "command": shlex.join(command),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in (*PACKAGES, *task.packages)},
        },
        "hyper_parameters": asdict(settings),
        "random_action_share": task.random_action_share,
        "training": {
            "seeds": bounds(TRAINING_SEEDS),
            "environment_steps": trainer.step,
            "updates": trainer.updates,
        },
        "selection": {
            "seeds": bounds(SELECTION_SEEDS[: settings.selection_episodes]),
            "environment_steps": best["steps"],
            "mean": best["selection_mean"],
        },
    }


def ship(
    task: Task,
    settings: HyperParameters,
    seed: int,
    trainer: Trainer,
    folder: Path,
    command: Sequence[str],
) -> None:
    """Writes the best weights and the curve, confirms the weights, and writes the manifest.

    Args:
        task: What was trained.
        settings: How.
        seed: The seed of the training.
        trainer: The training, finished.
        folder: Where to write to.
        command: The command line that makes the weights again.
    """
    trainer.load_best()
    folder.mkdir(parents=True, exist_ok=True)
    weights_file = folder / f"{task.name}.weights.h5"
    trainer.network.save_weights(weights_file)
    with (folder / "curve.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(trainer.curve[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(trainer.curve)

    policy = task.agent_module().greedy_policy(trainer.network)
    seeds = CONFIRMATION_SEEDS[: task.confirmation_episodes]
    acts: list[Act] = [lambda observation: int(policy(observation[np.newaxis])[0]) for _ in seeds]
    entry = describe(task, settings, seed, trainer, weights_file, command)
    entry["confirmation"] = measured(task, acts, seeds)
    print(f"confirmation mean {entry['confirmation']['mean']:.2f}", file=sys.stderr)
    entry.update(opponents(task, trainer.network.output_shape[-1], seeds))
    if task.published is not None:
        entry["published"] = task.published
    manifest = json.dumps({"weights": [entry]}, indent=2)
    (folder / "manifest.json").write_text(manifest + "\n", encoding="utf-8")


def main() -> None:
    """Trains, confirms, and writes the weights, the curve and the manifest."""
    parser = argparse.ArgumentParser(description="Train a reference agent.")
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--seed", type=int, default=0, help="fixes everything that chance decides")
    parser.add_argument("--out", type=Path, help="folder to write to; default: reference/TASK")
    parser.add_argument("--work", type=Path, help=f"folder of checkpoints; default: {WORK}/TASK")
    parser.add_argument("--max-steps", type=int, help="train so many environment steps and finish")
    parser.add_argument(
        "--stop-after", type=int, help="stop at the checkpoint after so many steps, to go on later"
    )
    arguments = parser.parse_args()

    # Sums of floats depend on how they are split between threads: one thread, one result.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    # Compiled files beside the sources would become part of the submission.
    sys.dont_write_bytecode = True

    task = TASKS[arguments.task]
    out = arguments.out or Path("reference") / task.name
    command = ["python", "reference/training/train.py", task.name]
    command += ["--seed", str(arguments.seed), "--out", out.as_posix()]
    settings = task.settings
    if arguments.max_steps is not None:
        settings = replace(settings, max_steps=arguments.max_steps)
        command += ["--max-steps", str(arguments.max_steps)]

    out = out.resolve()
    work = (arguments.work or WORK / task.name).resolve()
    work.mkdir(parents=True, exist_ok=True)
    # Ends by way of every `finally`: a game that runs as a process of its own would stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # ViZDoom reads its configuration from the working directory and leaves it there.
    os.chdir(work)
    try:
        trainer = Trainer(task, settings, arguments.seed, work)
    except CheckpointMismatch as error:
        sys.exit(str(error))
    if trainer.step > settings.max_steps:
        sys.exit(f"{work} has trained {trainer.step} steps already; name another folder by --work")
    trainer.run(arguments.stop_after)
    if trainer.step < settings.max_steps:
        print(f"stopped at step {trainer.step}; the same command goes on", file=sys.stderr)
        return
    ship(task, settings, arguments.seed, trainer, out, command)


if __name__ == "__main__":
    main()
