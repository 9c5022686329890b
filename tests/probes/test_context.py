import pytest

from grader.probes.context import load, load_again, missing
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.spec import Isolation, Limits
from grader.records.submission import Refusal
from grader.sandbox.incident import WorkerIncident

KINDS = ("random_agent", "network", "training", "agent", "environment", "function")
SETTINGS = {
    "random_agent": {"spaces": ["Discrete(4)"]},
    "network": {
        "input_shapes": [[4]], "num_actions": [2], "layers": [{"layer": "Dense", "units": 2}],
    },
    "training": {},
    "agent": {"environment_id": "CartPole-v1"},
    "environment": {},
    "function": {"reference": "cross_correlation_2d"},
}  # fmt: skip

AGENT = """
    class DQNAgent:
        def __init__(self, observation_space, action_space):
            pass

        def act(self, observation):
            return 0
"""


@pytest.fixture
def agent(contexts):
    return lambda source, **options: contexts(
        "agent", source, settings=SETTINGS["agent"], **options
    )


def loaded(context):
    with context.worker(1) as worker:
        return load(context, worker)


# --- what keeps a file from being loaded --------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_not_handed_in_is_missing(contexts, kind):
    context = contexts(kind, None, settings=SETTINGS[kind], more={"other.py": b"x = 1"})
    incident = missing(context)
    assert (incident.kind, incident.stage) == (IncidentKind.MISSING_FILE, "work.py")
    evidence = context.empty(incident)
    assert type(evidence) is context.kind.evidence
    assert (evidence.part, evidence.kind, evidence.load) == ("part", kind, incident)


def test_a_refused_submission_has_nothing_to_run(contexts):
    context = contexts("function", "x = 1", settings=SETTINGS["function"])
    refused = context.submission.model_copy(
        update={"refusal": Refusal(reason="It is a bomb.", advice="Zip it again.")}
    )
    incident = missing(type(context)(**{**vars(context), "submission": refused}))
    assert (incident.kind, incident.message) == (
        IncidentKind.REFUSED,
        "It is a bomb. Zip it again.",
    )


def test_a_file_that_was_handed_in_is_not_missing(agent):
    assert missing(agent(AGENT)) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("source", "error_type", "line"),
    [
        ("def f(:\n    pass", "SyntaxError", 1),
        ("if True:\n\tx = 1\n        y = 2", "TabError", 3),
        (b"x = '\xff\xfe'", "SyntaxError", None),
        ("import no_such_package", "ModuleNotFoundError", 1),
        ("import other\nother.f()", "KeyError", 1),
        ("x = 1\nx / 0", "ZeroDivisionError", 2),
    ],
    ids=["syntax", "tabs", "encoding", "import", "helper", "raises"],
)
def test_a_file_that_cannot_be_imported_says_why(contexts, kind, source, error_type, line):
    more = {"other.py": b"def f():\n    {}['key']\n"}
    context = contexts(kind, source, settings=SETTINGS[kind], more=more)
    evidence = context.kind.collect(context)
    assert evidence.load.kind is IncidentKind.RAISED
    assert evidence.load.error_type == error_type
    assert evidence.load.stage == "importing work.py"
    if line is not None:
        assert evidence.load.frames[0].line in {line, 2}
    assert evidence == type(evidence)(
        part="part", file="work.py", isolation=evidence.isolation, load=evidence.load,
        **evidence.model_dump(
            include={"environment_id", "action_space", "wrappers", "versions", "seed_set"}
        ),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["agent", "environment"])
@pytest.mark.parametrize(
    ("source", "end", "limit"),
    [
        ("import sys; sys.exit(0)", IncidentKind.EXITED, None),
        ("import os; os._exit(0)", IncidentKind.EXITED, None),
        ("while True: pass", IncidentKind.LIMIT, LimitName.CALL_CPU),
        ("import time; time.sleep(60)", IncidentKind.LIMIT, LimitName.CALL_WALL),
    ],
    ids=["sys.exit", "os._exit", "loop", "sleep"],
)
def test_a_file_that_ends_its_process_says_how(contexts, kind, source, end, limit):
    limits = Limits(call_wall_s=1.0, call_cpu_s=0.4)
    context = contexts(kind, source, settings=SETTINGS[kind], limits=limits)
    incident = context.kind.collect(context).load
    assert (incident.kind, incident.limit) == (end, limit)
    assert "importing work.py" in incident.stage


# --- names --------------------------------------------------------------------------------------


def test_all_names_are_found_with_their_lines(agent):
    symbols = loaded(agent(AGENT)).symbols
    assert [(symbol.role, symbol.name, symbol.line) for symbol in symbols] == [
        ("agent_class", "DQNAgent", 2),
        ("act", "act", 6),
    ]
    assert symbols[1].parameters == ("observation",)


def test_other_names_can_be_accepted(agent):
    names = {"agent_class": ("Player", "DQNAgent"), "act": ("move", "choose")}
    source = AGENT.replace("act(self", "choose(self")
    found = loaded(agent(source, names=names))
    assert found.complete
    assert [symbol.name for symbol in found.symbols] == ["DQNAgent", "choose"]


def test_a_missing_class_is_told_once_and_not_for_its_methods_too(agent):
    found = loaded(agent("class Agent:\n    pass\n\ndef help():\n    pass"))
    assert not found.complete
    assert [(each.role, each.accepted) for each in found.unresolved] == [
        ("agent_class", ("DQNAgent",))
    ]
    assert found.unresolved[0].available == ("Agent", "help")


def test_a_missing_method_is_told_with_the_methods_there_are(agent):
    (missed,) = loaded(agent(AGENT.replace("act(self", "play(self"))).unresolved
    assert (missed.role, missed.accepted, missed.available) == ("act", ("act",), ("play",))


@pytest.mark.parametrize(
    ("source", "wrong_kind"),
    [
        ("def DQNAgent(a, b):\n    pass", "a function"),
        ("DQNAgent = 3", "a value of type int"),
        ("import os as DQNAgent", "a module"),
    ],
)
def test_a_name_of_another_kind_is_told_as_such(agent, source, wrong_kind):
    (missed,) = loaded(agent(source)).unresolved
    assert missed.wrong_kind == wrong_kind


def test_names_that_raise_when_looked_up_are_the_students(agent):
    found = loaded(agent("def __getattr__(name):\n    raise RuntimeError(name)"))
    assert (found.incident.kind, found.incident.error_type) == (IncidentKind.RAISED, "RuntimeError")


FORGED = """
import grader.worker.session as session
session.STUDENT_HANDLERS["resolve"] = lambda session, request: {answer}
"""


@pytest.mark.parametrize(
    "answer",
    ["None", "7", "{'name': 3}", "{'nam': 'DQNAgent'}", "{'name': 'system', 'line': 1}",
     "{'name': 'DQNAgent', 'parameters': 'self'}"],
)  # fmt: skip
def test_a_forged_name_is_an_incident(agent, answer):
    found = loaded(agent(FORGED.format(answer=answer)))
    assert not found.complete
    assert found.incident.kind is IncidentKind.PROTOCOL


def test_forged_texts_are_bounded_and_cleaned(agent):
    names = "tuple('\\x1b[31m' + 'x' * 1000 for _ in range(1000))"
    found = loaded(
        agent(FORGED.format(answer=f"{{'available': {names}, 'wrong_kind': '\\x1b' * 999}}"))
    )
    (missed,) = found.unresolved
    assert len(missed.available) <= 50
    assert all(len(name) <= 101 and "\x1b" not in name for name in missed.available)
    assert len(missed.wrong_kind) <= 101
    assert "\x1b" not in missed.wrong_kind
    answer = f"{{'name': request['names'][0], 'line': 1, 'parameters': {names}}}"
    symbol = loaded(agent(FORGED.format(answer=answer))).symbols[0]
    assert len(symbol.parameters) <= 50
    assert all(len(name) <= 101 and "\x1b" not in name for name in symbol.parameters)


# --- further workers ----------------------------------------------------------------------------


def test_a_file_that_loads_again_is_as_good_as_the_first_time(agent):
    context = agent(AGENT)
    with context.worker(2) as worker:
        load_again(context, worker)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("x = 1 / 0", IncidentKind.RAISED),
        ("import os; os._exit(1)", IncidentKind.EXITED),
        ("x = 1", IncidentKind.PROTOCOL),
    ],
)
def test_a_file_that_does_not_load_again_is_an_incident(agent, source, kind):
    context = agent(source)
    with context.worker(2) as worker, pytest.raises(WorkerIncident) as told:
        load_again(context, worker)
    assert told.value.incident.kind is kind


def test_what_a_part_costs_and_prints_is_noted(agent):
    context = agent("print('hello')\n")
    assert context.usage.isolation is None
    loaded(context)
    assert context.usage.isolation in set(Isolation)
    assert context.usage.calls >= 3
    assert context.usage.printed.strip() == "hello"


def test_the_weakest_isolation_of_several_workers_counts(agent):
    usage = agent(AGENT).usage
    for isolation in (Isolation.RESTRICTED, Isolation.FULL, Isolation.RESTRICTED):
        usage.confined(isolation)
    assert usage.isolation is Isolation.RESTRICTED


def test_two_workers_with_different_entropy_draw_different_numbers(agent):
    context = agent("import random\nraise ValueError(random.random())")

    def drawn(entropy: int) -> Incident:
        with context.worker(entropy) as worker:
            return load(context, worker).incident

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
