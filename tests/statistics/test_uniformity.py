"""Uniform agents pass, and the documented departures from uniformity are found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from grader.records.arrays import ArrayRecord
from grader.records.evidence import ActionComponent, SpaceTrial
from grader.statistics import uniformity
from grader.statistics.uniformity import Aspect

SAMPLES = 4000
LEVEL = 5e-5 / 75
"""The level of each test with the spaces of the built-in assignment."""

Values = npt.NDArray[np.generic]
Agent = Callable[[np.random.Generator, Values], Values]


def component(values: npt.ArrayLike, choices: int | None, name: str = "") -> ActionComponent:
    dtype = np.float64 if choices is None else np.int64
    return ActionComponent(
        name=name, choices=choices, values=ArrayRecord.of(np.asarray(values, dtype))
    )


def trial(*components: ActionComponent, codes: npt.ArrayLike | None = None) -> SpaceTrial:
    shown = None if codes is None else ArrayRecord.of(np.asarray(codes, np.int64))
    samples = components[0].values.shape[0]
    return SpaceTrial(
        space="a space", samples=samples, components=components, observation_codes=shown
    )


def rejected(one: SpaceTrial) -> set[Aspect]:
    return {test.aspect for test in uniformity.space_tests(one) if test.p_value < LEVEL}


def power(agent: Agent, choices: int | None, repetitions: int = 40) -> float:
    generator = np.random.default_rng(2013)
    found = 0
    for _ in range(repetitions):
        codes = generator.integers(4, size=SAMPLES)
        one = trial(component(agent(generator, codes), choices), codes=codes)
        found += bool(rejected(one))
    return found / repetitions


def honest_trials(generator: np.random.Generator) -> list[SpaceTrial]:
    codes = generator.integers(4, size=SAMPLES)

    def discrete(choices: int) -> ActionComponent:
        return component(generator.integers(choices, size=SAMPLES), choices)

    def continuous() -> ActionComponent:
        return component(generator.random(SAMPLES, dtype=np.float32), None)

    return [
        trial(discrete(4), codes=codes),
        trial(discrete(5), codes=codes),
        trial(discrete(3), discrete(5), codes=codes),
        trial(discrete(2), discrete(2), discrete(2), codes=codes),
        trial(continuous(), continuous(), codes=codes),
        trial(discrete(3), continuous(), codes=codes),
        trial(discrete(2), discrete(6), codes=codes),
    ]


def biased(choices: int, probability: float) -> Agent:
    shares = np.full(choices, (1 - probability) / (choices - 1))
    shares[0] = probability
    return lambda generator, codes: generator.choice(choices, size=codes.size, p=shares)


def sticky(probability: float) -> Agent:
    def draw(generator: np.random.Generator, codes: Values) -> Values:
        fresh = generator.integers(4, size=codes.size)
        kept = generator.random(codes.size) < probability
        kept[0] = False
        source = np.maximum.accumulate(np.where(kept, 0, np.arange(codes.size)))
        return fresh[source]

    return draw


def looking(probability: float) -> Agent:
    def draw(generator: np.random.Generator, codes: Values) -> Values:
        looks = generator.random(codes.size) < probability
        return np.where(looks, codes, generator.integers(4, size=codes.size))

    return draw


def replaying(period: int) -> Agent:
    return lambda generator, codes: np.resize(generator.integers(4, size=period), codes.size)


def test_uniform_agents_are_hardly_ever_called_biased() -> None:
    # 60 honest submissions. At a family level of 5 % about three would be rejected; more than ten
    # has a probability of 3e-4. At the level in use none is.
    generator = np.random.default_rng(77)
    smallest = []
    for _ in range(60):
        tests = [test for one in honest_trials(generator) for test in uniformity.space_tests(one)]
        smallest.append(min(test.p_value for test in tests) * len(tests))
    assert sum(corrected < 0.05 for corrected in smallest) <= 10
    assert min(smallest) > 5e-5


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (2, 6), (9, 9)])
def test_chi_square_tables_have_the_size_they_claim(shape: tuple[int, int]) -> None:
    # The same statistic as `independence`, on 100,000 tables with as few draws a cell as are
    # allowed: at a level of 1e-3 100 rejections are expected, with a standard deviation of 10.
    rows, columns = shape
    cells = rows * columns
    draws = cells * uniformity.MIN_EXPECTED
    generator = np.random.default_rng(3)
    tables = generator.multinomial(draws, np.full(cells, 1 / cells), size=100_000)
    tables = tables.reshape(-1, rows, columns).astype(np.float64)
    expected = tables.sum(2)[:, :, None] * tables.sum(1)[:, None, :] / draws
    statistics = ((tables - expected) ** 2 / expected).sum((1, 2))
    critical = stats.chi2.isf(1e-3, (rows - 1) * (columns - 1))
    assert 60 <= (statistics > critical).sum() <= 140


@pytest.mark.parametrize(
    ("agent", "choices"),
    [
        pytest.param(biased(4, 0.31), 4, id="one action of four at 31 %"),
        pytest.param(biased(4, 0.195), 4, id="one action of four at 19.5 %"),
        pytest.param(biased(2, 0.565), 2, id="one action of two at 56.5 %"),
        pytest.param(biased(18, 0.095), 18, id="one action of eighteen at 9.5 %"),
        pytest.param(sticky(0.25), 4, id="a quarter of the actions repeated"),
        pytest.param(sticky(0.10), 4, id="a tenth of the actions repeated"),
        pytest.param(looking(0.10), 4, id="a tenth of the actions by the observation"),
        pytest.param(lambda _, c: np.arange(c.size) % 4, 4, id="a cycle"),
        pytest.param(replaying(100), 4, id="a list of 100"),
        pytest.param(replaying(2000), 4, id="a list of 2000"),
        pytest.param(lambda g, c: g.integers(3, size=c.size), 4, id="off by one"),
        pytest.param(lambda g, c: np.rint(g.random(c.size) * 3), 4, id="rounded"),
        pytest.param(
            lambda g, c: np.cumsum(g.integers(1, 4, size=c.size)) % 4, 4, id="never twice running"
        ),
        pytest.param(lambda _, c: np.zeros(c.size), 4, id="always the first"),
        pytest.param(lambda g, c: 0.99 * g.random(c.size), None, id="the last hundredth missing"),
        pytest.param(lambda g, c: np.rint(100 * g.random(c.size)) / 100, None, id="two decimals"),
        pytest.param(lambda g, c: np.clip(g.normal(0.5, 0.25, c.size), 0, 1), None, id="normal"),
        pytest.param(lambda g, c: np.resize(g.random(1000), c.size), None, id="1000 numbers again"),
        pytest.param(lambda g, c: g.choice(g.random(300), c.size), None, id="300 numbers mixed"),
        pytest.param(lambda _, c: np.full(c.size, 0.5), None, id="always the middle"),
    ],
)
def test_departures_from_uniformity_are_found(agent: Agent, choices: int | None) -> None:
    assert power(agent, choices) == 1.0


@pytest.mark.parametrize(
    ("agent", "choices"),
    [
        pytest.param(biased(4, 0.255), 4, id="half a percent too often"),
        pytest.param(lambda g, c: g.random(c.size).astype(np.float16), None, id="half precision"),
        pytest.param(
            lambda g, c: (np.float32(1000) + g.random(c.size, np.float32)) - np.float32(1000),
            None,
            id="single precision far from zero",
        ),
        pytest.param(lambda g, c: g.integers(1000, size=c.size), 1000, id="a thousand actions"),
        pytest.param(lambda g, c: g.integers(2**31, size=c.size), 2**31, id="32-bit integers"),
    ],
)
def test_what_floats_and_chance_explain_is_let_pass(agent: Agent, choices: int | None) -> None:
    assert power(agent, choices, repetitions=20) == 0.0


def test_each_departure_is_seen_by_the_test_made_for_it() -> None:
    generator = np.random.default_rng(4)
    codes = generator.integers(4, size=SAMPLES)

    def seen(agent: Agent) -> set[Aspect]:
        return rejected(trial(component(agent(generator, codes), 4), codes=codes))

    assert seen(biased(4, 0.32)) == {Aspect.FREQUENCIES, Aspect.SINGLE_VALUE}
    assert seen(lambda _, c: np.arange(c.size) % 4) == {Aspect.SUCCESSION, Aspect.REPEATS}
    assert seen(looking(0.2)) == {Aspect.OBSERVATION}


def test_components_that_are_tied_are_found_though_each_is_uniform() -> None:
    generator = np.random.default_rng(4)
    first = generator.integers(6, size=SAMPLES)
    second = np.where(generator.random(SAMPLES) < 0.2, first, generator.integers(6, size=SAMPLES))
    one = trial(component(first, 6, "[0]"), component(second, 6, "[1]"))
    assert rejected(one) == {Aspect.COMPONENTS}


def test_a_component_with_one_choice_has_no_tests() -> None:
    assert uniformity.space_tests(trial(component(np.zeros(SAMPLES), 1))) == ()


def test_the_tests_are_decided_by_the_space_and_not_by_the_draws() -> None:
    # Otherwise the number that the level is divided by would depend on what the agent did.
    generator = np.random.default_rng(4)
    codes = generator.integers(4, size=SAMPLES)
    fair = trial(component(generator.integers(4, size=SAMPLES), 4), codes=codes)
    constant = trial(component(np.zeros(SAMPLES), 4), codes=codes)
    assert [test.aspect for test in uniformity.space_tests(fair)] == [
        test.aspect for test in uniformity.space_tests(constant)
    ]


def test_wide_spaces_are_compared_pairwise_only_up_to_a_bound() -> None:
    generator = np.random.default_rng(4)
    bits = [component(generator.integers(2, size=200), 2, f"[{i}]") for i in range(40)]
    tests = uniformity.space_tests(trial(*bits))
    pairs = [test.components for test in tests if test.aspect is Aspect.COMPONENTS]
    assert len(pairs) == uniformity.MAX_PAIRS
    assert {(i, i + 1) for i in range(39)} <= set(pairs)


def test_every_result_says_what_it_means() -> None:
    generator = np.random.default_rng(4)
    tests = [test for one in honest_trials(generator) for test in uniformity.space_tests(one)]
    assert {test.aspect for test in tests} == set(Aspect)
    assert all(test.meaning and 0 <= test.p_value <= 1 for test in tests)


def test_counts_agree_with_the_textbook() -> None:
    values = np.repeat(np.arange(4), [1100, 950, 1010, 940])
    statistic, p_value = uniformity.frequencies(values, 4)
    textbook = stats.chisquare([1100, 950, 1010, 940])
    assert statistic == pytest.approx(textbook.statistic)
    assert p_value == pytest.approx(textbook.pvalue)


def test_independence_agrees_with_the_textbook() -> None:
    generator = np.random.default_rng(4)
    first, second = generator.integers(3, size=900), generator.integers(4, size=900)
    table = np.zeros((3, 4))
    np.add.at(table, (first, second), 1)
    textbook = stats.chi2_contingency(table, correction=False)
    statistic, p_value = uniformity.independence(first, 3, second, 4)
    assert statistic == pytest.approx(textbook.statistic)
    assert p_value == pytest.approx(textbook.pvalue)


def test_the_kolmogorov_smirnov_test_agrees_with_the_textbook_in_the_tail() -> None:
    values = np.random.default_rng(4).random(500) ** 1.5
    distance, p_value = uniformity.distribution(values)
    textbook = stats.kstest(values, "uniform", method="exact")
    assert distance == pytest.approx(textbook.statistic)
    assert p_value == pytest.approx(textbook.pvalue, rel=1e-6)


def test_the_number_of_matches_is_exactly_binomial() -> None:
    values = np.random.default_rng(4).integers(4, size=400)
    profile = uniformity.repeat_profile(values, 0.25)
    for lag in (1, 7, 200):
        matches = int((values[lag:] == values[:-lag]).sum())
        assert (profile.matches[lag - 1], profile.compared[lag - 1]) == (matches, 400 - lag)
        tails = stats.binom(400 - lag, 0.25)
        two_sided = 2 * min(tails.cdf(matches), tails.sf(matches - 1))
        assert profile.p_values[lag - 1] == pytest.approx(min(1.0, two_sided))


def test_few_draws_of_many_values_are_pooled() -> None:
    # 100 draws of 50 values: four groups of 25 draws each; only the lower half was used.
    values = np.random.default_rng(4).integers(25, size=100)
    _, p_value = uniformity.frequencies(values, 50)
    assert p_value < 1e-15


def test_the_level_is_shared_by_all_tests() -> None:
    assert uniformity.level_per_test(5e-5, 50) == pytest.approx(1e-6)
    assert uniformity.level_per_test(5e-5, 0) == 5e-5
