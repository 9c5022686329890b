"""A worker that answers anything at all leads to a judgement of the student, never to a fault.

An honest run of each kind of part is recorded once. Then its answers are played back by a process
that forges one of them: another value, a value with one thing in it changed, or a failure.
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import pytest

from grader.assignments.registry import JudgeInput, check_kind, probe_kind, settings_of
from grader.pipeline.collecting import collect_part
from grader.probes.context import ProbeContext
from grader.records.evidence import PartEvidence
from grader.records.incident import IncidentKind
from grader.records.messages import Filled, Request
from grader.records.report import SeedSet
from grader.records.result import Outcome, Verdict
from grader.records.spec import EpisodeSet, Limits, PartBaseline, PartSpec
from grader.records.submission import Submission, SubmittedFile
from grader.records.wire import HEADER, Opaque, decode, frame
from grader.sandbox.meter import NOTHING, Spent
from grader.sandbox.server import ForkServer
from grader.sandbox.worker import Worker

SEEDS: Final = (1, 2)
LIMITS: Final = Limits(call_wall_s=20, part_wall_s=300, reply_mb=8)

NETWORK: Final = """
import keras
def create_q_model(num_actions):
    return keras.Sequential([
        keras.Input((3, 3, 1)), keras.layers.Flatten(), keras.layers.Dense(num_actions),
    ])
"""
CONSTANT_NETWORK: Final = NETWORK.replace(
    "Dense(num_actions)", "Dense(num_actions, activation='relu', "
    "bias_initializer=keras.initializers.Constant(-1e6))"
)  # fmt: skip
RANDOM_AGENT: Final = """
import copy
class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.space = copy.deepcopy(action_space)
        self.space.seed(seed)
    def act(self, observation):
        return self.space.sample()
"""
AGENT: Final = """
class DQNAgent:
    def __init__(self, observation_space, action_space):
        pass
    def act(self, observation):
        return int(observation[2] + observation[3] > 0)
"""
TRAINING: Final = """
import tensorflow as tf
def huber_loss(y_true, y_pred):
    error = tf.abs(y_true - y_pred)
    clipped = tf.minimum(error, 1.0)
    return tf.reduce_mean(clipped * (error - 0.5 * clipped))
def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return float(loss)
"""
ENVIRONMENT: Final = """
import gymnasium
import numpy as np
class GameEnv(gymnasium.Env):
    metadata = {"render_modes": []}
    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.observation_space = gymnasium.spaces.Dict({
            "at": gymnasium.spaces.Box(-9.0, 9.0, (2,), np.float32),
            "seen": gymnasium.spaces.MultiBinary(3),
        })
        self.action_space = gymnasium.spaces.Discrete(3)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = int(self.np_random.integers(-3, 4))
        self.steps = 0
        return self.observe(), {}
    def observe(self):
        return {"at": np.array([self.at, self.steps], np.float32), "seen": np.zeros(3, np.int8)}
    def step(self, action):
        self.at += int(action) - 1
        self.steps += 1
        over = abs(self.at) >= 5 or self.steps >= 8
        return self.observe(), 1.0, over, False, {}
"""
FUNCTION: Final = """
import numpy as np
def function(image, kernel, stride=1):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), kernel.shape)
    return (windows[::stride, ::stride] * kernel).sum((2, 3))
"""


@dataclass(frozen=True)
class Case:
    """A kind of part, an honest file for it, and what keeps its run short."""

    kind: str
    source: str
    checks: tuple[str, ...]
    forgeries: int
    """How many are tried; fewer where each takes long."""
    settings: dict[str, Any] = field(default_factory=dict)


CASES: Final = {
    "random_agent": Case(
        "random_agent", RANDOM_AGENT, ("interface", "uniform", "seeded"), 60,
        {"spaces": ["Discrete(4)", "Box(-2.0, 1.0, (2,))", "MultiBinary(3)",
                    "Dict({'a': Discrete(3), 'b': Box(0.0, 1.0, (1,))})"],
         "samples": 100, "sequence_length": 24},
    ),
    "network": Case(
        "network", NETWORK, ("interface", "architecture", "behaviour"), 200,
        {"input_shapes": [[3, 3, 1]], "num_actions": [3, 2],
         "layers": [{"layer": "Flatten"}, {"layer": "Dense", "units": "num_actions"}]},
    ),
    "constant network": Case(
        "network", CONSTANT_NETWORK, ("interface", "architecture", "behaviour"), 200,
        {"input_shapes": [[3, 3, 1]], "num_actions": [3],
         "layers": [{"layer": "Flatten"}, {"layer": "Dense", "units": 9},
                    {"layer": "Dense", "units": "num_actions"}]},
    ),
    "training": Case("training", TRAINING, ("interface", "loss", "step"), 20),
    "agent": Case(
        "agent", AGENT, ("interface", "performance", "deterministic"), 250,
        {"environment_id": "CartPole-v1", "max_episode_steps": 12},
    ),
    "environment": Case(
        "environment", ENVIRONMENT, ("interface", "conformance", "deterministic"), 120,
        {"episodes": 2, "max_steps": 20, "compared_steps": 12},
    ),
    "function": Case(
        "function", FUNCTION, ("interface", "values"), 150,
        {"reference": "cross_correlation_2d"},
    ),
}  # fmt: skip
BASELINE: Final = PartBaseline(
    environment_id="CartPole-v1",
    public=EpisodeSet(seeds=SEEDS, random_returns=(3.0, 4.0), dqn_returns=(12.0, 12.0)),
    final=EpisodeSet(seeds=(8, 9), random_returns=(3.0, 4.0), dqn_returns=(12.0, 12.0)),
)

# --- recording ------------------------------------------------------------------------------------

Key = tuple[int, str, str, str]
"""Number of the worker, operation, target and method."""


def key_of(worker: int, request: dict[str, Any]) -> Key:
    return worker, request["op"], str(request.get("target", "")), str(request.get("method", ""))


def fields_of(request: Request | Filled) -> dict[str, Any]:
    if not isinstance(request, Filled):
        return dict(request)
    _, fields = decode(request.call.frame(0, None)[HEADER.size :])
    return dict(fields)


class Recording:
    """Starts real workers and keeps what they answer."""

    def __init__(self, server: ForkServer) -> None:
        self.server = server
        self.answers: dict[Key, list[Any]] = {}
        self.workers = 0

    def student(self, limits: Limits, seed: int, spent: Spent = NOTHING) -> Worker:
        number, worker = self.workers, self.server.student(limits, seed, spent)
        self.workers += 1
        ask = worker.ask

        def recorded(request: Request | Filled, stage: str) -> Any:
            answer = ask(request, stage)
            key = key_of(number, fields_of(request))
            self.answers.setdefault(key, []).append(answer)
            return answer

        worker.ask = recorded  # type: ignore[method-assign]
        return worker

    def inspector(self) -> Worker:
        return self.server.inspector()


# --- forging --------------------------------------------------------------------------------------

HOSTILE: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**63 - 1, -(2**63), 0.0, -0.0, 1e308, 5e-324, float("nan"),
    float("inf"), -float("inf"), "", "nan", "x" * 3000, "\x1b[2J\u202e", "a\nb", b"", b"x" * 3000,
    [], (), {}, [[]], [[1], [1, 2]], [1, "a", None], [["x" * 2000], ["", ""]], {"a": 1},
    {"": float("nan")}, (1, 2, 3, 4), [float("nan")], [True, 1.5], Opaque("int", "5"),
    Opaque("numpy.ndarray", "[1, 2]"), [Opaque("float", "1.0")], np.zeros(0), np.zeros((0, 3)),
    np.zeros((3, 0)), np.zeros((1 << 16, 0)), np.zeros((1,) * 32), np.array(0), np.array([0.0]),
    np.array([1]), np.array([True]), np.array([np.nan]), np.array(np.inf), np.full((4, 3), np.nan),
    np.full((4, 3), 1e308), np.full((4, 3), -np.inf, np.float16), np.zeros((4, 3), bool),
    np.full((4, 3), 2**64 - 1, np.uint64), np.full((4, 3), -128, np.int8),
    np.float16(65504), np.float32("nan"), np.int64(-1), np.uint64(2**64 - 1), np.bool_(True),
    [np.zeros(2), np.zeros(3)], [np.zeros((2, 2)), 5], (np.zeros(1), b"", "x"),
    np.zeros(600_000),
)  # fmt: skip


class Forger:
    """Plays recorded answers back and forges those to one kind of question.

    Args:
        answers: what was answered in the honest run.
        seed: decides what is forged, how and when.
    """

    def __init__(self, answers: dict[Key, list[Any]], seed: int) -> None:
        self._answers = answers
        self._chance = random.Random(seed)
        self._asked: dict[Key, int] = {}
        self._lock = threading.Lock()
        before_any_code = {"put_file", "prepare"}
        keys = sorted(key for key in answers if key[1] not in before_any_code)
        self.target = self._chance.choice(keys)
        often = len(answers[self.target])
        self.first = self._chance.choice((0, 0, self._chance.randrange(often)))
        self.last = self._chance.choice((self.first, self.first, 10**9))
        self.how = self._chance.choice(("value", "inside", "inside", "inside", "failure"))

    def answer(self, number: int, key: Key) -> bytes:
        with self._lock:
            times = self._asked.get(key, 0)
            self._asked[key] = times + 1
            known = self._answers.get(key) or self._like(key)
            honest = known[min(times, len(known) - 1)]
            if key != self.target or not self.first <= times <= self.last:
                return frame([number, "ok", honest])
            if self.how == "failure":
                return frame([number, "error", self._failure()])
            forged = self._hostile() if self.how == "value" else self._changed(honest)
            return frame([number, "ok", forged])

    def _like(self, key: Key) -> list[Any]:
        """Answers to the same question in another worker, or of another object."""
        return next((self._answers[other] for other in self._answers if other[1] == key[1]), [None])

    def _hostile(self) -> Any:
        return self._chance.choice(HOSTILE)

    def _changed(self, value: Any) -> Any:
        """The value with one thing in it replaced, left out, doubled or changed a little."""
        holds = isinstance(value, list | tuple | dict) and len(value) > 0
        inner = holds and self._chance.random() < 0.9
        if isinstance(value, np.ndarray) and value.size and self._chance.random() < 0.6:
            return self._changed_array(value)
        if not inner:
            return self._hostile()
        if isinstance(value, dict):
            name = self._chance.choice(sorted(value))
            if self._chance.random() < 0.15:
                return {key: item for key, item in value.items() if key != name}
            return {**value, name: self._changed(value[name])}
        items = list(value)
        place = self._chance.randrange(len(items))
        match self._chance.randrange(10):
            case 0:
                del items[place]
            case 1:
                items.insert(place, items[place])
            case _:
                items[place] = self._changed(items[place])
        return tuple(items) if isinstance(value, tuple) else items

    def _changed_array(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with np.errstate(all="ignore"):
            match self._chance.randrange(5):
                case 0:
                    other = array.astype(np.float64)
                    other.reshape(-1)[self._chance.randrange(array.size)] = self._chance.choice(
                        (np.nan, np.inf, -np.inf, 1e308, 1e30)
                    )
                    return other
                case 1:
                    kinds = ("float16", "float64", "uint8", "bool", "int64", "uint64", "int8")
                    return array.astype(self._chance.choice(kinds))
                case 2:
                    return array[..., :-1] if array.ndim else array.reshape(1)
                case 3:
                    return array[None]
            return array.reshape(-1)

    def _failure(self) -> Any:
        failure = {
            "error_type": "ValueError", "message": "no", "frames": [], "limit": None,
            "exited": False, "at": None,
        }  # fmt: skip
        frames = [{"file": "a\n::error::b.py", "line": 3, "function": "f", "text": "x = 1"}]
        match self._chance.randrange(8):
            case 0:
                return {**failure, "limit": self._chance.choice(("memory_mb", "call_cpu_s", "no"))}
            case 1:
                return {**failure, "exited": True}
            case 2:
                return {**failure, "at": self._chance.choice((0, -1, 10**6, 2**63 - 1))}
            case 3:
                return {**failure, "frames": frames * self._chance.choice((1, 20, 21))}
            case 4:
                return {**failure, "message": "x" * 10_000_000}
            case 5:
                return {**failure, "error_type": self._chance.choice(("SyntaxError", "\n::x", ""))}
            case 6:
                return {**failure, self._chance.choice(sorted(failure)): self._hostile()}
        return failure


class Forging:
    """Makes workers whose process is played by a thread of the test.

    Args:
        peer: the class of that name in `sandbox/test_protocol.py`.
        server: has the inspector.
        forger: gives the answers.
        folder: for scratch files.
    """

    def __init__(self, peer: Any, server: ForkServer, forger: Forger, folder: Path) -> None:
        self._peer, self._server, self._forger, self._folder = peer, server, forger, folder
        self._peers: list[Any] = []

    def student(self, limits: Limits, _seed: int, _spent: Spent = NOTHING) -> Worker:
        made = self._peer(self._folder, **limits.plain())
        thread = threading.Thread(target=self._play, args=(made.socket, len(self._peers)))
        thread.start()
        made.threads.append(thread)
        self._peers.append(made)
        worker: Worker = made.worker
        return worker

    def _play(self, channel: socket.socket, worker: int) -> None:
        with suppress(OSError), channel.makefile("rb") as stream:  # until the grader ends it
            while header := stream.read(HEADER.size):
                (size,) = HEADER.unpack(header)
                number, request = decode(stream.read(size))
                channel.sendall(self._forger.answer(number, key_of(worker, request)))

    def inspector(self) -> Worker:
        return self._server.inspector()

    def close(self) -> None:
        for made in self._peers:
            made.close()
            assert not any(thread.is_alive() for thread in made.threads)


# --- running and judging --------------------------------------------------------------------------


def context_of(case: Case, source: Any) -> ProbeContext:
    kind = probe_kind(case.kind)
    part = {
        "title": "Part", "kind": case.kind, "file": "work.py",
        "checks": {name: {"title": name, "points": 1} for name in case.checks},
    }  # fmt: skip
    return ProbeContext(
        part_id="part", part=PartSpec.parse(part), kind=kind,
        settings=settings_of(kind.settings, case.settings), limits=LIMITS,
        submission=Submission(
            id="alice", files=(SubmittedFile(path="work.py", content=case.source.encode()),)
        ),
        source=source, seed_set=SeedSet.PUBLIC, seeds=SEEDS,
    )  # fmt: skip


def verdicts(context: ProbeContext, evidence: PartEvidence) -> Iterator[Verdict]:
    if evidence.load is not None:
        return  # every check is invalid
    for name in context.part.checks:
        kind = check_kind(f"{context.kind.id}.{name}")
        yield kind.judge(
            JudgeInput(
                part_id="part", part=context.part, check=context.part.checks[name],
                part_settings=context.settings, settings=settings_of(kind.settings, {}),
                evidence=evidence, baseline=BASELINE,
            )
        )  # fmt: skip


def incident_kinds(data: Any) -> Iterator[str]:
    """Kinds of all incidents in evidence as plain data."""
    if isinstance(data, dict):
        if "stage" in data and "kind" in data:
            yield data["kind"]
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from incident_kinds(item)


@pytest.fixture(scope="module")
def honest(fork_server: ForkServer) -> Callable[[Case], dict[Key, list[Any]]]:
    """Answers of an honest run, by which it is shown that the files above are right."""

    def run(case: Case) -> dict[Key, list[Any]]:
        recording = Recording(fork_server)
        context = context_of(case, recording)
        evidence = collect_part(context)
        assert evidence.load is None
        assert not set(incident_kinds(evidence.plain()))
        judged = list(verdicts(context, evidence))
        assert all(verdict.outcome is not Outcome.FAULT for verdict in judged)
        return recording.answers

    return run


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_forged_answer_is_judged_and_is_no_fault(
    case: Case,
    honest: Callable[[Case], dict[Key, list[Any]]],
    fork_server: ForkServer,
    load_module: Callable[[str], ModuleType],
    tmp_path: Path,
) -> None:
    peer, answers = load_module("sandbox/test_protocol.py").Peer, honest(case)
    for seed in range(case.forgeries):
        forger = Forger(answers, seed)
        source = Forging(peer, fork_server, forger, tmp_path)
        context = context_of(case, source)
        evidence = collect_part(context)
        source.close()
        told = f"seed {seed}: {forger.how} for {forger.target}"
        assert IncidentKind.FAULT not in set(incident_kinds(evidence.plain())), (told, evidence)
        kept = type(evidence).model_validate_json(evidence.model_dump_json())
        for verdict in verdicts(context, kept):
            assert verdict.outcome is not Outcome.FAULT, (told, verdict)
            assert 0.0 <= verdict.fraction <= 1.0
            lines = [text for f in verdict.findings for text in (f.claim, f.where or "")]
            assert not any("\n" in text or "\x1b" in text for text in lines), (told, lines)
