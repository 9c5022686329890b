"""The lines written for `gym`, and how each reads today."""

from __future__ import annotations

import ast

import pytest

from grader.checks.advice.old_gym import old_gym_notes, today
from grader.records.agent_evidence import AgentEvidence
from grader.records.result import Severity
from grader.records.source import HintKind, SourceHint
from grader.records.spec import Isolation

LINES = {
    "import gym": "import gymnasium as gym",
    "import gym, random": "import gymnasium as gym, random",
    "import gym as g": "import gymnasium as g",
    "from gym import spaces": "from gymnasium import spaces",
    "from gym.wrappers import Monitor": "from gymnasium.wrappers import Monitor",
    "state = env.reset()": "state, info = env.reset()",
    "s2, r, done, info = env.step(a)":
        "s2, r, terminated, truncated, info = env.step(a); done = terminated or truncated",
    "n, self.r, d, _ = self.env.step(int(a))":
        "n, self.r, terminated, truncated, _ = self.env.step(int(a)); d = terminated or truncated",
    "env.seed(0)": "env.reset(seed=0)",
    "self.env.seed(seed)  # again": "self.env.reset(seed=seed)",
    "return obs, reward, done, {}": "return obs, reward, done, False, {}",
    "return self.state": "return self.state, {}",
}  # fmt: skip


@pytest.mark.parametrize("old", LINES)
def test_a_line_is_shown_as_it_reads_today(old: str) -> None:
    found = today(old)
    assert found is not None
    assert found[1] == LINES[old]
    ast.parse(f"def f(self):\n    {found[1]}")


def test_a_method_gets_its_seed() -> None:
    found = today("def reset(self):")
    assert found is not None
    assert found[1] == "def reset(self, *, seed=None, options=None):"


@pytest.mark.parametrize("line", ["import gymnasium", "import gymnastics", "x = 3", ""])
def test_other_lines_are_left_alone(line: str) -> None:
    assert today(line) is None


def test_one_line_of_each_kind_is_shown_with_its_new_text() -> None:
    texts = ("import gym", "state = env.reset()", "a, b, c, d = env.step(1)",
             "e, f, g, h = env.step(2)")  # fmt: skip
    hints = tuple(
        SourceHint(kind=HintKind.OLD_GYM, line=number, text=text)
        for number, text in enumerate(texts, 3)
    )
    evidence = AgentEvidence(
        part="agent", file="agent.py", isolation=Isolation.PROCESS, hints=hints
    )
    (finding,) = old_gym_notes(evidence, Severity.NOTE)
    assert (finding.code, finding.where) == ("IM114", "agent.py:3")
    assert finding.received is not None
    assert finding.received.startswith(
        "line 3: `import gym`; line 4: `state = env.reset()`; line 5"
    )
    assert finding.received.endswith("(4 lines in all)")
    assert "line 4: `state, info = env.reset()`" in (finding.expected or "")
    assert "costs no points" in finding.claim
    assert old_gym_notes(evidence.model_copy(update={"hints": ()}), Severity.NOTE) == ()
