"""Reports as the grader writes them: every outcome, every exhibit, and hostile text everywhere."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

import numpy as np

from grader.assignments.registry import JudgeInput
from grader.checks.performance import judge_performance
from grader.episodes.film_sheet import make_film, with_values
from grader.records.agent_evidence import AgentEvidence, Episode
from grader.records.agent_settings import AgentSettings, PerformanceSettings
from grader.records.arrays import ArrayRecord
from grader.records.catalogue import CatalogueEntry
from grader.records.films import Film
from grader.records.network_pictures import (
    FeatureMaps,
    FilteredImage,
    KernelTiles,
    MapPair,
    NetworkPictures,
    NoPictures,
    Tiles,
    WorkedPixel,
    quantised,
)
from grader.records.report import (
    AssignmentRef,
    GradeReport,
    PartRef,
    ReportStatus,
    SeedSet,
    SubmissionRef,
)
from grader.records.result import (
    ActionCounts,
    CheckResult,
    EpisodeReturns,
    Exhibit,
    Finding,
    LayerCell,
    LayerRow,
    NetworkTable,
    Outcome,
    RowStatus,
    Severity,
)
from grader.records.spec import (
    CheckSpec,
    EpisodeSet,
    Isolation,
    PartBaseline,
    PartSpec,
    Visibility,
)
from grader.records.submission import FileRecord

TITLE = "Week 13: game-playing agents and neural networks"

PARTS = (
    PartRef(id="random_agent", title="A random agent", file="random_agent.py"),
    PartRef(id="network", title="The Deep Q-Network", file="network.py"),
    PartRef(id="training", title="Loss and training step", file="training.py"),
    PartRef(id="agent", title="An agent that balances the pole", file="agent.py"),
    PartRef(id="environment", title="A game of your own", file="environment.py"),
    PartRef(id="convolution", title="Convolution by hand", file="convolution.py"),
)

CHECKS = (
    ("random_agent.interface", "RandomAgent can be made and acts", 4.0),
    ("random_agent.uniform", "Every action is equally likely, whatever came before", 6.0),
    ("random_agent.seeded", "The same seed gives the same actions", 5.0),
    ("network.interface", "create_q_model builds a model for any number of actions", 4.0),
    ("network.architecture", "The layers are those of the Deep Q-Network", 12.0),
    ("network.behaviour", "State in, the value of every action out", 4.0),
    ("training.interface", "huber_loss and train_step are there and can be called", 2.0),
    ("training.loss", "The loss is Huber's, and can be differentiated", 6.0),
    ("training.step", "One step moves the weights down the gradient of that loss", 7.0),
    ("agent.interface", "DQNAgent can be made and acts", 3.0),
    ("agent.performance", "It plays as well as the reference", 18.0),
    ("agent.deterministic", "The same observations give the same actions", 4.0),
    ("environment.interface", "GameEnv can be made, reset and stepped", 3.0),
    ("environment.conformance", "It keeps to Gymnasium's API", 8.0),
    ("environment.deterministic", "The same seed gives the same game", 4.0),
    ("convolution.interface", "convolve2d can be called", 2.0),
    ("convolution.values", "It computes what a convolution layer computes", 8.0),
)

CATALOGUE = {
    "NW102": CatalogueEntry(
        title="A layer's attribute differs",
        what="A layer of your network has another value than the assignment asks for, such as "
        "`strides` or `filters`.\n\nThe table beside the finding shows which.",
        why="Strides and kernel sizes decide what part of the screen a unit sees. Another stride "
        "gives other shapes in every layer that follows.",
        fix="Compare your layer with the expected one, attribute by attribute.",
        wrong="x = layers.Conv2D(32, 8, strides=2, activation='relu')(x)",
        right="x = layers.Conv2D(32, 8, strides=4, activation='relu')(x)",
    ),
    "GR108": CatalogueEntry(
        title="Your code raised an exception",
        what="An exception left your code while the grader was calling it.",
        why="Code that raises gives no answer, so nothing else could be looked at.",
        fix="Run the call yourself and read the last line of the traceback first.",
    ),
}
"""Explanations that the tests bring along, so that they do not follow the wording of real ones."""


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def finding(
    code: str,
    claim: str,
    *,
    severity: Severity = Severity.ERROR,
    where: str | None = None,
    expected: str | None = None,
    received: str | None = None,
    try_: str | None = None,
) -> Finding:
    return Finding(
        code=code, severity=severity, claim=claim, where=where,
        expected=expected, received=received, try_=try_,
    )  # fmt: skip


def result(
    check: str,
    outcome: Outcome = Outcome.PASSED,
    points: float | None = None,
    *findings: Finding,
    exhibits: tuple[Exhibit, ...] = (),
    visibility: Visibility = Visibility.PUBLIC,
    required: bool = True,
) -> CheckResult:
    title, max_points = next((title, worth) for name, title, worth in CHECKS if name == check)
    part = check.split(".")[0]
    return CheckResult(
        id=check, part=part, title=title, outcome=outcome,
        points=(max_points if outcome is Outcome.PASSED else 0.0) if points is None else points,
        max_points=max_points, visibility=visibility, required=required,
        requires=() if check.endswith(".interface") else (f"{part}.interface",),
        findings=findings, exhibits=exhibits,
    )  # fmt: skip


def report(
    name: str, results: tuple[CheckResult, ...], *, seeds: SeedSet = SeedSet.FINAL,
    isolation: Isolation = Isolation.FULL, files: tuple[str, ...] | None = None,
) -> GradeReport:  # fmt: skip
    withheld = any(entry.outcome is Outcome.FAULT for entry in results)
    names = tuple(part.file for part in PARTS) if files is None else files
    return GradeReport(
        grader_version="0.1.0",
        assignment=AssignmentRef(id="week13", title=TITLE, digest=f"sha256:{sha256('week13')}"),
        submission=SubmissionRef(
            id=name,
            digest=f"sha256:{sha256(name)}",
            files=tuple(
                FileRecord(path=path, size_bytes=400 + 731 * index, sha256=sha256(path + name))
                for index, path in enumerate(names)
            ),
        ),
        isolation=isolation,
        seeds=seeds,
        status=ReportStatus.WITHHELD if withheld else ReportStatus.GRADED,
        score=None if withheld else sum(entry.points for entry in results),
        max_score=sum(entry.max_points for entry in results),
        parts=PARTS,
        results=results,
    )


def layer(kind: str, summary: str, shape: str, parameters: int, field: str = "") -> LayerCell:
    return LayerCell(
        kind=kind, summary=summary, output_shape=shape, parameters=parameters,
        receptive_field=field or None,
    )  # fmt: skip


EXPECTED_LAYERS = (
    layer("Conv2D", "32 filters, kernel (8, 8), strides (4, 4), valid, relu", "(20, 20, 32)",
          8224, "8 × 8"),
    layer("Conv2D", "64 filters, kernel (4, 4), strides (2, 2), valid, relu", "(9, 9, 64)",
          32832, "20 × 20"),
    layer("Conv2D", "64 filters, kernel (3, 3), strides (1, 1), valid, relu", "(7, 7, 64)",
          36928, "36 × 36"),
    layer("Flatten", "", "(3136)", 0),
    layer("Dense", "512 units, relu", "(512)", 1606144),
    layer("Dense", "4 units, linear", "(4)", 2052),
)  # fmt: skip

PROOF = (
    "The network was rebuilt from its configuration in a process without your code, and gave "
    "the same outputs on 32 random inputs."
)


def matching_network() -> NetworkTable:
    return NetworkTable(
        rows=tuple(
            LayerRow(
                status=RowStatus.MATCHES, expected=cell, received=cell, points=2.0, max_points=2.0
            )
            for cell in EXPECTED_LAYERS
        ),
        expected_parameters=1686180,
        received_parameters=1686180,
        proof=PROOF,
    )


def faulty_network() -> NetworkTable:
    first, second, third, flatten, dense, output = EXPECTED_LAYERS
    strided = layer(
        "Conv2D", "32 filters, kernel (8, 8), strides (2, 2), valid, relu", "(39, 39, 32)",
        8224, "8 × 8",
    )  # fmt: skip
    soft = layer("Dense", "4 units, softmax", "(4)", 2052)
    return NetworkTable(
        rows=(
            LayerRow(
                status=RowStatus.PREPROCESSING,
                received=layer("Rescaling", "scale 1/255, offset 0", "(84, 84, 4)", 0, "1 × 1"),
            ),
            LayerRow(
                status=RowStatus.DIFFERS, expected=first, received=strided,
                differences=("strides: expected `(4, 4)`, received `(2, 2)`",),
                points=1.33, max_points=2.0,
            ),
            LayerRow(
                status=RowStatus.MATCHES, expected=second, received=second, points=2.0,
                max_points=2.0,
            ),
            LayerRow(status=RowStatus.MISSING, expected=third, points=0.0, max_points=2.0),
            LayerRow(
                status=RowStatus.EXTRA,
                received=layer("Dropout", "rate 0.5", "(18, 18, 64)", 0, "14 × 14"), points=-1.0,
            ),
            LayerRow(
                status=RowStatus.MATCHES, expected=flatten, received=flatten, points=2.0,
                max_points=2.0,
            ),
            LayerRow(
                status=RowStatus.MATCHES, expected=dense, received=dense, points=2.0,
                max_points=2.0,
            ),
            LayerRow(
                status=RowStatus.DIFFERS, expected=output, received=soft,
                differences=("activation: expected `linear`, received `softmax`",), points=1.0,
                max_points=2.0,
            ),
        ),
        expected_parameters=1686180,
        received_parameters=10660996,
        proof=PROOF,
    )  # fmt: skip


def row(
    status: RowStatus,
    expected: LayerCell | None,
    received: LayerCell | None,
    *differences: str,
    points: float = 1.0,
) -> LayerRow:
    return LayerRow(
        status=status, expected=expected, received=received, differences=differences,
        points=points, max_points=0.0 if expected is None else 1.0,
    )  # fmt: skip


def reading(cell: LayerCell, *rows: int) -> LayerCell:
    return cell.model_copy(update={"reads": rows})


def dueling_network() -> NetworkTable:
    """A torso, two heads and a merge; one head has too few units, the other is cut short."""
    first, second, third, flatten, _, _ = EXPECTED_LAYERS
    torso = (first, second, third, flatten)
    value = layer("Dense", "512 units, relu", "(512,)", 1606144)
    thin = layer("Dense", "256 units, relu", "(256,)", 803072)
    state = layer("Dense", "1 units, linear", "(1,)", 513)
    actions = layer("Dense", "num_actions units (4 here), linear", "(4,)", 2052)
    merge = layer("DuelingMerge", "baseline mean", "(4,)", 0)
    rows = [
        row(
            RowStatus.MATCHES, reading(cell, index - 1), reading(cell, index - 1),
        )
        for index, cell in enumerate(torso)
    ]  # fmt: skip
    rows += [
        row(RowStatus.MATCHES, reading(value, 3), reading(value, 3)),
        row(RowStatus.MATCHES, reading(state, 4), reading(state, 4)),
        row(
            RowStatus.DIFFERS, reading(value, 3), reading(thin, 3),
            "units: expected 512, received 256", points=0.5,
        ),
        row(RowStatus.MATCHES, reading(actions, 6), reading(actions, 6)),
        row(RowStatus.MATCHES, reading(merge, 5, 7), reading(merge, 5, 7)),
    ]  # fmt: skip
    return NetworkTable(
        rows=tuple(rows), expected_parameters=3294949, received_parameters=2490853, proof=PROOF
    )


def branching(name: str = "dora") -> GradeReport:
    """A network with two heads beside the one asked for."""
    results = list(perfect(name).results)
    for index, entry in enumerate(results):
        if entry.id == "network.architecture":
            results[index] = result(
                "network.architecture", Outcome.PARTIAL, 11.0, exhibits=(dueling_network(),)
            )
    return report(name, tuple(results))


def noise(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def kernels(seed: int, filters: int = 32) -> KernelTiles:
    values = noise(filters, 4, 8, 8, seed=seed)
    return KernelTiles(
        filters=filters, size=(8, 8), channels=4, averaged=False,
        pixels=ArrayRecord.of(quantised(values, 2.0, signed=True)), largest=2.0, biases_zero=True,
    )  # fmt: skip


def feature_maps(
    side: int, maps: int, *, activation: str = "relu", dead: int = 0, seed: int = 5,
    strides: int = 2, kind: str = "Conv2D",
) -> FeatureMaps:  # fmt: skip
    values = noise(16, side, side, seed=seed)
    values[:dead] = 0.0
    signed = activation == "linear"
    return FeatureMaps(
        kind=kind, size=(side, side), kernel=(4, 4), strides=(strides, strides),
        activation=activation, maps=maps, dead=dead,
        tiles=Tiles(
            numbers=tuple(range(1, 17)), signed=signed, largest=2.0,
            pixels=ArrayRecord.of(quantised(values, 2.0, signed=signed)),
            dead=tuple(range(1, dead + 1)),
        ),
    )  # fmt: skip


def pictures() -> NetworkPictures:
    """The first convolution right, the second with other strides, the third missing."""
    frames = np.zeros((84, 84, 4), np.uint8)
    for index in range(4):
        frames[20 + 4 * index : 24 + 4 * index, 40:44, index] = 255
    patch = np.abs(noise(8, 8, 4, seed=9)).astype(np.float32)
    kernel = noise(8, 8, 4, seed=10).astype(np.float32)
    right = feature_maps(20, 32, strides=4)
    return NetworkPictures(
        frames=ArrayRecord.of(frames),
        received_kernels=kernels(1),
        expected_kernels=kernels(2),
        convolutions=(
            MapPair(received=right, expected=right, same_kernels=True),
            MapPair(
                received=feature_maps(17, 64, dead=3, strides=1),
                expected=feature_maps(9, 64, seed=6), same_kernels=True,
            ),
            MapPair(received=None, expected=feature_maps(7, 64, seed=7)),
        ),
        pixel=WorkedPixel(
            filter=3, place=(2, 5), corner=(8, 20), patch=ArrayRecord.of(patch),
            kernel=ArrayRecord.of(kernel), bias=0.5, activation="relu",
            value=float(np.maximum((patch.astype(float) * kernel).sum() + 0.5, 0)),
        ),
    )  # fmt: skip


def filtered(slip: float = -1.0) -> FilteredImage:
    """A convolution of a frame; what came back is the right result times a factor."""
    image = np.zeros((20, 20))
    image[5:15, 8:12] = 200.0
    kernel = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    right = 4.0 * (image[1:-1, 2:] - image[1:-1, :-2])
    return FilteredImage(
        image=ArrayRecord.of(image.astype(np.uint8)),
        kernel=ArrayRecord.of(kernel),
        expected=ArrayRecord.of(quantised(right, 800.0, signed=True)),
        received=ArrayRecord.of(quantised(slip * right, 800.0, signed=True)),
        difference=ArrayRecord.of(quantised((slip - 1) * right, 800.0, signed=True)),
        largest=800.0, largest_difference=abs(slip - 1) * 800.0, place=(6, 6),
        expected_value=800.0, received_value=slip * 800.0,
    )  # fmt: skip


def returns(student_mean: float = 212.0, seed: int = 1) -> EpisodeReturns:
    source = random.Random(seed)
    seeds = tuple(7100431 + 17 * index for index in range(20))
    student = tuple(float(min(500, max(9, round(source.gauss(student_mean, 90))))) for _ in seeds)
    chance = tuple(float(max(9, round(source.gauss(22, 10)))) for _ in seeds)
    return compared(student, chance, (500.0,) * 20, seeds)


def compared(
    student: tuple[float, ...],
    chance: tuple[float, ...],
    dqn: tuple[float, ...],
    seeds: tuple[int, ...] | None = None,
    **rule: object,
) -> EpisodeReturns:
    """Returns with all that is told about them, by a rule of points."""
    count = len(student)
    seeds = seeds or tuple(range(1, count + 1))
    baseline = PartBaseline(
        environment_id="CartPole-v1",
        public=EpisodeSet(seeds=(), random_returns=(), dqn_returns=()),
        final=EpisodeSet(seeds=seeds, random_returns=chance, dqn_returns=dqn),
    )
    check = CheckSpec(title="title", points=18)
    verdict = judge_performance(
        JudgeInput(
            part_id="agent",
            part=PartSpec(
                title="title", kind="agent", file="agent.py", checks={"performance": check}
            ),
            check=check,
            part_settings=AgentSettings(environment_id="CartPole-v1"),
            settings=PerformanceSettings.parse({"bootstrap_samples": 1000, **rule}),
            evidence=AgentEvidence(
                part="agent", file="agent.py", isolation=Isolation.FULL, seed_set=SeedSet.FINAL,
                environment_id="CartPole-v1", versions={"gymnasium": "1.4.0", "numpy": "2.4.6"},
                episodes=tuple(
                    Episode(seed=seed, actions=(0,), rewards=(value,), episode_return=value)
                    for seed, value in zip(seeds, student, strict=True)
                ),
            ),
            baseline=baseline,
            reference_versions={"gymnasium": "1.4.0", "numpy": "2.4.6"},
        )
    )  # fmt: skip
    (shown,) = verdict.exhibits
    assert isinstance(shown, EpisodeReturns)
    return shown


def counts(space: str = "Discrete(4)", skewed: bool = False) -> ActionCounts:
    values = (1333, 1309, 1358, 0) if skewed else (1012, 987, 995, 1006)
    return ActionCounts(space=space, labels=("0", "1", "2", "3"), counts=values, expected=1000.0)


def film(steps: int = 24, *, text: str = "", values: bool = True) -> Film:
    """A red square that wanders over blue ground, one column a step."""
    pictures = np.zeros((steps + 1, 40, 60, 3), np.uint8)
    pictures[..., 2] = 90
    for step, picture in enumerate(pictures):
        picture[20:26, 2 * step % 56 : 2 * step % 56 + 4] = (230, 40, 40)
    names = (f"push left{text}", f"push right{text}")
    made = make_film(
        pictures,
        title=f"The worst of 20 episodes: episode 7{text}",
        ending=f"The environment ended it (terminated).{text}",
        actions=[names[step // 3 % 2] for step in range(steps)],
        rewards=[1.0] * steps,
        names=names,
    )
    if not values:
        return made
    rows = [(10.0 + 0.25 * index, 12.5 - 0.1 * index) for index in range(len(made.frames) - 1)]
    return with_values(made, [*rows, None])


def names_of_actions() -> ActionCounts:
    labels = ("NOOP", "FIRE", "UPRIGHTFIRE and more", "LEFT")
    return ActionCounts(
        space="Dict({'steer': Discrete(4)})['steer']", labels=labels, counts=(250, 260, 240, 250),
        expected=250.0,
    )  # fmt: skip


def perfect(name: str = "perfect") -> GradeReport:
    exhibits: dict[str, tuple[Exhibit, ...]] = {
        "network.architecture": (matching_network(), pictures()),
        "convolution.values": (filtered(1.0),),
        "agent.performance": (returns(900.0),),
        "random_agent.uniform": (counts(), names_of_actions()),
    }
    return report(
        name, tuple(result(check, exhibits=exhibits.get(check, ())) for check, _, _ in CHECKS)
    )


STRIDES = finding(
    "NW102", "The first convolution moves 2 pixels at a time, not 4.", where="network.py:14",
    expected="strides `(4, 4)`", received="strides `(2, 2)`",
    try_="Pass `strides=4` to the first `Conv2D`.",
)  # fmt: skip

SOFTMAX = finding(
    "NW102", "The output layer ends in softmax; Q-values are not probabilities.",
    where="network.py:22", expected="activation `linear`", received="activation `softmax`",
    try_="Leave `activation` out of the last `Dense`.",
)  # fmt: skip

SKEWED = finding(
    "RA201", "Action 3 was never taken in 4000 steps.", where="random_agent.py:9",
    expected="about 1000 times each", received="1333, 1309, 1358 and 0 times",
    try_="`randrange(n - 1)` leaves the last action out; use `randrange(n)`.",
)  # fmt: skip

RAISED = finding(
    "GR108", "The code raised `TypeError` while calling huber_loss.", where="training.py:31",
    received="TypeError: unsupported operand type(s) for -: 'NoneType' and 'float'\n"
    "  training.py:31 in huber_loss: return abs(y_true - y_pred)",
    try_="Run `huber_loss([1.0], [2.0])` yourself.",
)  # fmt: skip

MISSING = finding(
    "GR101", "The file was not handed in.", expected="convolution.py",
    try_="Put the file at the top of the folder you hand in, with exactly this name.",
)  # fmt: skip


def typical(name: str = "alice", seeds: SeedSet = SeedSet.FINAL) -> GradeReport:
    """Every outcome but a fault, every exhibit, every severity."""
    return report(
        name,
        (
            result("random_agent.interface"),
            result(
                "random_agent.uniform", Outcome.FAILED, 0.0, SKEWED,
                exhibits=(counts(skewed=True), names_of_actions()),
            ),
            result(
                "random_agent.seeded", Outcome.PASSED, None,
                finding(
                    "RA305", "The agent seeds the global generator of numpy.",
                    severity=Severity.WARNING, where="random_agent.py:6",
                    try_="Make a generator of your own: `numpy.random.default_rng(seed)`.",
                ),
            ),
            result("network.interface"),
            result(
                "network.architecture", Outcome.PARTIAL, 7.33, STRIDES,
                finding(
                    "NW104", "The third convolution is missing.", where="network.py",
                    expected="`Conv2D`, 64 filters, kernel `(3, 3)`", received="no such layer",
                    try_="Add it between the second convolution and `Flatten`.",
                ),
                SOFTMAX,
                finding(
                    "NW105", "`Dropout` was not asked for.", where="network.py:18",
                    received="`Dropout`, rate 0.5", try_="Remove it.",
                ),
                exhibits=(faulty_network(), pictures()),
            ),
            result(
                "network.behaviour", Outcome.PARTIAL, 2.0, SOFTMAX,
                finding(
                    "NW301", "The model has 10 660 996 parameters.", severity=Severity.NOTE,
                    expected="1 686 180",
                ),
            ),
            result("training.interface", Outcome.FAILED, 0.0, RAISED),
            result("training.loss", Outcome.SKIPPED),
            result("training.step", Outcome.SKIPPED),
            result("agent.interface"),
            result(
                "agent.performance", Outcome.PARTIAL, 7.58,
                finding(
                    "AG201", "The agent earns less than the reference.", where="agent.py",
                    expected="a normalised score of at least 0.95", received="0.40",
                    try_="Train longer, and keep the weights of the best evaluation.",
                ),
                exhibits=(returns(), film(), film(values=False)),
            ),
            result("agent.deterministic", visibility=Visibility.HIDDEN),
            result("environment.interface"),
            result("environment.conformance"),
            result("environment.deterministic", required=False),
            result("convolution.interface", Outcome.INVALID, 0.0, MISSING),
            result("convolution.values", Outcome.INVALID, 0.0, MISSING, exhibits=(filtered(),)),
        ),
        seeds=seeds,
    )  # fmt: skip


def withheld(name: str = "walter") -> GradeReport:
    results = list(perfect(name).results)
    for index, entry in enumerate(results):
        if entry.id == "agent.performance":
            results[index] = result(
                "agent.performance", Outcome.FAULT, 0.0,
                finding(
                    "GR401", "The grader failed here; this is not your mistake.",
                    received="the fork server ended",
                    try_="Nothing to do: the mark is withheld until your instructor has graded "
                    "this again.",
                ),
            )  # fmt: skip
    return report(name, tuple(results), isolation=Isolation.PROCESS)


def empty(name: str = "empty") -> GradeReport:
    """Nothing was handed in."""
    return report(
        name,
        tuple(result(check, Outcome.INVALID, 0.0, MISSING) for check, _, _ in CHECKS),
        files=(),
    )


HOSTILE = (
    '<script>window.__pwned=1</script><img src=x onerror="window.__pwned=2">\'"`${7*7}`{{7*7}}'
    '<a href="javascript:window.__pwned=3">x</a></style></title></textarea>--><svg onload=x>'
    " \x1b[31mred\x1b[0m \u202eevil\u2066 javascript:window.__pwned=4 "
    "##[error]x ##vso[task.complete] ::error::y"
)
"""Markup, template syntax, escape sequences, direction overrides and CI commands in one."""


def hostile() -> GradeReport:
    """Hostile text in every field that can hold text."""
    text = HOSTILE
    nasty = Finding(
        code="NW102", severity=Severity.ERROR, claim=text, where=text, expected=text,
        received=text + "\n::error::line two\n" + "long" * 100, try_=text,
    )  # fmt: skip
    cell = LayerCell(kind=text, summary=text, output_shape=text, parameters=3, receptive_field=text)
    table = NetworkTable(
        rows=tuple(
            LayerRow(status=status, expected=cell, received=cell, differences=(text,))
            for status in RowStatus
        ),
        expected_parameters=3, received_parameters=None, proof=text,
    )  # fmt: skip
    episodes = returns().model_copy(update={"environment_id": text})
    nasty_maps = feature_maps(5, 16, kind=text, activation=text)
    pictured = pictures().model_copy(
        update={
            "message": text,
            "convolutions": (MapPair(received=nasty_maps, expected=nasty_maps),),
            "pixel": pictures().pixel.model_copy(update={"activation": text}),
        }
    )
    absent = NetworkPictures(absent=NoPictures.BROKEN, message=text)
    strange = filtered().model_copy(
        update={"received": None, "difference": None, "largest_difference": None, "remark": text}
    )
    actions = ActionCounts(space=text, labels=(text, "1"), counts=(1, 2), expected=1.5)
    results = tuple(
        CheckResult(
            id=f"network.{name}", part="network", title=text, outcome=outcome, points=0.0,
            max_points=5.0, visibility=Visibility.PUBLIC, required=True,
            requires=("network.partial", text), findings=(nasty, nasty),
            exhibits=(table, pictured, absent, strange, episodes, actions, film(text=text)),
        )
        for name, outcome in ((outcome.value, outcome) for outcome in Outcome)
        if outcome is not Outcome.FAULT
    )  # fmt: skip
    base = perfect()
    return base.model_copy(
        update={
            "grader_version": text,
            "assignment": AssignmentRef(id=text, title=text, digest=text),
            "submission": SubmissionRef(
                id=text, digest=text, files=(FileRecord(path=text, size_bytes=1, sha256=text),)
            ),
            "score": 1.0,
            "max_score": 25.0,
            "parts": (PartRef(id="network", title=text, file=text),),
            "results": results,
        }
    )


def many(number: int, seed: int = 5) -> Iterator[GradeReport]:
    """A class, the same in every run."""
    source = random.Random(seed)
    first = ("alice", "bob", "chloé", "dmitri", "eun-ji", "fatima", "gül", "henrik", "ines", "jo")
    for index in range(number):
        name = f"{first[index % len(first)]}-{index:03d}"
        if index % 17 == 3:
            yield withheld(name)
            continue
        skill = source.betavariate(5, 2)
        results: list[CheckResult] = []
        for check, _, worth in CHECKS:
            if source.random() < skill + 0.1:
                results.append(result(check))
            elif not check.endswith(".interface") and source.random() < 0.5:
                half = round(worth * source.choice((0.25, 0.5, 0.75)), 2)
                results.append(result(check, Outcome.PARTIAL, half, STRIDES))
            else:
                results.append(result(check, Outcome.FAILED, 0.0, RAISED))
        yield report(name, tuple(results))
