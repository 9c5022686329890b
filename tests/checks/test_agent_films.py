from types import ModuleType

from grader.assignments.registry import JudgeInput
from grader.checks.performance import judge_performance
from grader.records.agent_evidence import AgentEvidence, Episode
from grader.records.agent_settings import AgentSettings, PerformanceSettings
from grader.records.films import Film
from grader.records.report import SeedSet
from grader.records.result import EpisodeReturns, Outcome, Verdict
from grader.records.spec import CheckSpec, EpisodeSet, Isolation, PartBaseline, PartSpec


def judged(films: tuple[Film, ...]) -> Verdict:
    check = CheckSpec(title="title", points=10)
    returns = (100.0, 200.0, 500.0)
    played = EpisodeSet(seeds=(1, 2, 3), random_returns=(20.0,) * 3, dqn_returns=(500.0,) * 3)
    return judge_performance(
        JudgeInput(
            part_id="agent",
            part=PartSpec(
                title="title", kind="agent", file="agent.py", checks={"performance": check}
            ),
            check=check,
            part_settings=AgentSettings(environment_id="CartPole-v1"),
            settings=PerformanceSettings(bootstrap_samples=1000),
            evidence=AgentEvidence(
                part="agent", file="agent.py", isolation=Isolation.FULL, seed_set=SeedSet.FINAL,
                environment_id="CartPole-v1", films=films,
                episodes=tuple(
                    Episode(seed=seed, actions=(0, 1), rewards=(value, 0.0), episode_return=value)
                    for seed, value in zip(played.seeds, returns, strict=True)
                ),
            ),
            baseline=PartBaseline(environment_id="CartPole-v1", public=played, final=played),
        )
    )  # fmt: skip


def test_films_are_shown_beside_the_returns_and_decide_nothing(samples: ModuleType) -> None:
    films = (samples.film(3), samples.film(5))

    shown, without = judged(films), judged(())

    assert isinstance(shown.exhibits[0], EpisodeReturns)
    assert shown.exhibits[1:] == films
    assert without.outcome is Outcome.PARTIAL
    assert shown.model_copy(update={"exhibits": without.exhibits}) == without
