"""Verdicts without the seeds of the episodes, whoever wrote them."""

from __future__ import annotations

from grader.pipeline.secrecy import text_without_seeds, without_seeds
from grader.records.result import EpisodeReturns, Finding, Outcome, Severity, Verdict

SEEDS = (4611686018427387905, 77, 9007199254740993)


def finding(**texts: str) -> Finding:
    return Finding(code="AG101", severity=Severity.ERROR, **{"claim": "It ended.", **texts})


def test_seeds_in_sentences_become_numbers_of_episodes() -> None:
    said = "2 (seed 4611686018427387905, step 77), Seed 9007199254740993: after reset(seed=77)"
    expected = "2 (episode 1, step episode 2), episode 3: after reset(episode 2)"
    assert text_without_seeds(said, SEEDS) == expected


def test_numbers_that_are_no_seeds_stay() -> None:
    said = "seed 5, 46116860184273879051, a4611686018427387906, 3.5 of 100000000000000000000000"
    assert text_without_seeds(said, SEEDS) == said


def test_every_text_and_every_exhibit_of_a_verdict_is_told_without() -> None:
    exhibit = EpisodeReturns(
        environment_id="CartPole-v1", seeds=SEEDS, student=(1.0, 2.0, 3.0), random=(0.0,) * 3,
        dqn=(4.0,) * 3, student_mean=2.0, random_mean=0.0, dqn_mean=4.0, normalized_score=0.5,
        normalized_low=0.4, normalized_high=0.6,
    )  # fmt: skip
    texts = dict.fromkeys(("claim", "where", "expected", "received", "try_"), f"seed {SEEDS[0]}")
    verdict = Verdict(
        outcome=Outcome.FAILED, fraction=0.25, findings=(finding(**texts),), exhibits=(exhibit,)
    )
    told = without_seeds(verdict, SEEDS)
    assert not [seed for seed in (SEEDS[0], SEEDS[2]) if str(seed) in told.model_dump_json()]
    (shown,) = told.exhibits
    assert isinstance(shown, EpisodeReturns)
    assert (shown.seeds, shown.numbered) == ((1, 2, 3), True)
    assert told.findings[0].try_ == "episode 1"
    assert (told.outcome, told.fraction) == (verdict.outcome, verdict.fraction)


def test_a_verdict_without_seeds_stays_as_it_is() -> None:
    verdict = Verdict(outcome=Outcome.FAILED, fraction=0.0, findings=(finding(),), opens=True)
    assert without_seeds(verdict, SEEDS) == verdict
