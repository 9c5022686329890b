import json

import pytest

from grader.records.agent_evidence import AgentEvidence, Episode
from grader.records.environments import PlayedEnvironment
from grader.records.receipts import (
    EditedReceipt,
    Receipt,
    read_receipt,
    receipt_text,
    receipts_of,
)
from grader.records.report import SubmissionRef
from grader.records.spec import Isolation

EPISODE = Episode(
    seed=2**60 + 1, actions=(0, 1.5, (1, -0.25)), rewards=(1.0, -0.1, 1e-17), episode_return=0.9,
    truncated=True,
)  # fmt: skip
RECEIPT = Receipt(
    submission="alice", work="sha256:00", part="agent", n=3,
    environment=PlayedEnvironment.parse(
        {"environment_id": "ALE/Breakout-v5", "protocol": "mnih_2015",
         "protocol_settings": {"epsilon": 0.1}}
    ),
    wrappers=("TimeLimit",), versions={"numpy": "2.0"}, episode=EPISODE,
)  # fmt: skip


@pytest.mark.parametrize(
    "receipt",
    [RECEIPT, RECEIPT.model_copy(update={"environment": PlayedEnvironment(environment_id="A-v0")})],
)
def test_a_receipt_is_read_as_it_was_written(receipt):
    text = receipt_text(receipt)
    assert read_receipt(text) == receipt
    assert receipt_text(read_receipt(text)) == text
    assert json.loads(text)["digest"].startswith("sha256:")


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("n", lambda _: 4),
        ("submission", lambda _: "bob"),
        ("episode", lambda e: {**e, "seed": e["seed"] + 1}),
        ("episode", lambda e: {**e, "episode_return": 500.0}),
        ("episode", lambda e: {**e, "actions": [0, 1.5, [1, 0.25]]}),
        ("versions", lambda _: {"numpy": "2.1"}),
        ("digest", lambda _: "sha256:0"),
    ],
)
def test_a_changed_receipt_is_noticed(key, change):
    data = json.loads(receipt_text(RECEIPT))
    data[key] = change(data[key])
    with pytest.raises(EditedReceipt, match="changed"):
        read_receipt(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "{}", "3", '{"digest": "x"}', "[" * 9000, "\0"])
def test_what_is_no_receipt_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_receipt(text)


def test_evidence_without_an_environment_has_no_receipts():
    work = SubmissionRef(id="alice", digest="sha256:00", files=())
    evidence = AgentEvidence(
        part="agent", file="agent.py", isolation=Isolation.FULL, episodes=(EPISODE, EPISODE)
    )
    assert receipts_of(evidence, work) == ()
    played = evidence.model_copy(update={"environment": RECEIPT.environment})
    first, second = receipts_of(played, work)
    assert (first.name, second.name) == ("agent-1.json", "agent-2.json")
    assert first.episode == second.episode == EPISODE


def test_evidence_with_an_environment_is_read_as_it_was_written():
    evidence = AgentEvidence(
        part="agent", file="agent.py", isolation=Isolation.FULL, episodes=(EPISODE,),
        environment=PlayedEnvironment(environment_id="CartPole-v1"),
    )  # fmt: skip
    assert AgentEvidence.model_validate_json(evidence.model_dump_json()) == evidence
