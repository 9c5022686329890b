import numpy as np
import pytest

from grader.probes.cases import convolution_cases
from grader.probes.values import MAX_ELEMENTS, as_array
from grader.records.evidence import FunctionEvidence
from grader.records.incident import IncidentKind, LimitName
from grader.records.spec import Limits
from grader.records.wire import Opaque

CASES = len(convolution_cases(0))
SETTINGS = {"reference": "cross_correlation_2d"}
HONEST = """
    import numpy as np

    def function(image, kernel, stride=1):
        windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
        return np.einsum("abij,ij->ab", windows[::stride, ::stride].astype(float), kernel)
"""


@pytest.fixture(scope="module")
def collect(probe):
    return lambda source, **options: probe("function", source, settings=SETTINGS, **options)


def test_an_honest_function_answers_every_case(collect):
    evidence = collect(HONEST)
    assert [trial.label for trial in evidence.trials] == [c.label for c in convolution_cases(31)]
    for trial in evidence.trials:
        image, kernel = (trial.arguments[name].array() for name in ("image", "kernel"))
        stride = trial.arguments.get("stride", 1)
        windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
        expected = np.einsum("abij,ij->ab", windows[::stride, ::stride].astype(float), kernel)
        np.testing.assert_allclose(trial.result.array(), expected, atol=1e-9)
        assert (trial.incident, trial.mutated) == (None, ())
        assert trial.result_type == "numpy.ndarray"


def test_what_was_changed_in_place_is_named(collect):
    evidence = collect("def function(image, kernel, stride=1):\n    kernel[:] = 0\n    return 1.0")
    assert {trial.mutated for trial in evidence.trials} == {("kernel",)}


@pytest.mark.parametrize(
    ("expression", "dtype", "shape"),
    [
        ("3", "int64", ()),
        ("2.5", "float64", ()),
        ("float('nan')", "float64", ()),
        ("[[1.0, 2.0]]", "float64", (1, 2)),
        ("((1, 2), (3, 4))", "int64", (2, 2)),
        ("np.full((2, 2), np.inf)", "float64", (2, 2)),
        ("np.array([1], np.uint8)", "uint8", (1,)),
        ("tf.constant([[1.5]])", "float32", (1, 1)),
        ("np.zeros((0, 3))", "float64", (0, 3)),
    ],
)
def test_numbers_in_any_form_are_kept_as_an_array(collect, expression, dtype, shape):
    evidence = collect(
        "import numpy as np, tensorflow as tf\n"
        f"def function(image, kernel, stride=1):\n    return {expression}"
    )
    result = evidence.trials[0].result
    assert (result.dtype, result.shape) == (dtype, shape)


@pytest.mark.parametrize(
    "expression",
    [
        "None", "True", "'12'", "b'12'", "{'a': 1}", "object()", "[[1], [1, 2]]", "[1, None]",
        "[1, 'a']", "2**80", "1j", "np.array(['a'])", "np.array([None])", "(i for i in [1])",
        "np.zeros(2_000_000)",
    ],
)  # fmt: skip
def test_what_is_no_number_is_none_and_its_type_is_told(collect, expression):
    evidence = collect(
        f"import numpy as np\ndef function(image, kernel, stride=1):\n    return {expression}"
    )
    assert len(evidence.trials) == CASES
    assert all(trial.result is None and trial.incident is None for trial in evidence.trials)
    assert all(0 < len(trial.result_type) < 200 for trial in evidence.trials)


def test_a_type_with_a_hostile_name_is_told_in_safe_text(collect):
    evidence = collect(
        "def function(image, kernel, stride=1):\n"
        "    return type('\\x1b[31m' + 'x' * 5000, (), {})()"
    )
    told = evidence.trials[0].result_type
    assert len(told) <= 201
    assert "\x1b" not in told


def test_exceptions_are_told_case_by_case(collect):
    evidence = collect(
        """
        def function(image, kernel, stride=1):
            if stride == 3:
                raise ValueError("no threes")
            return image * 1.0
        """
    )
    raised = [trial for trial in evidence.trials if trial.incident is not None]
    assert {trial.arguments["stride"] for trial in raised} == {3}
    assert len(raised) < CASES
    assert raised[0].incident.kind is IncidentKind.RAISED
    assert raised[0].incident.where() == "work.py:4"
    assert raised[0].label in raised[0].incident.stage


def test_a_limit_in_the_middle_ends_all_later_cases(collect):
    evidence = collect(
        """
        def function(image, kernel, stride=1):
            while stride == 3:
                pass
            return image * 1.0
        """,
        limits=Limits(call_wall_s=20, call_cpu_s=0.5),
    )
    incidents = [trial.incident for trial in evidence.trials]
    first = next(i for i, incident in enumerate(incidents) if incident is not None)
    assert first > 0
    assert all(incident == incidents[first] for incident in incidents[first:])
    assert incidents[first].limit is LimitName.CALL_CPU


def test_an_exit_in_the_middle_ends_all_later_cases(collect):
    evidence = collect(
        """
        import os
        def function(image, kernel, stride=1):
            if stride == 2:
                os._exit(0)
            return 1.0
        """
    )
    kinds = [trial.incident and trial.incident.kind for trial in evidence.trials]
    assert kinds[0] is None
    assert kinds[-1] is IncidentKind.EXITED


@pytest.mark.parametrize(
    "answer",
    ["None", "{}", "{'value': 1}", "[1, 2]", "{'value': 1, 'type_name': 3, 'arguments': {}}",
     "{'value': 1, 'type_name': 'int', 'arguments': []}"],
)  # fmt: skip
def test_an_answer_of_another_form_is_an_incident(collect, answer):
    evidence = collect(
        "import grader.worker.session as session\n"
        "def function(image, kernel, stride=1):\n    return 1.0\n"
        f"session.STUDENT_HANDLERS['call'] = lambda session, request: {answer}"
    )
    kinds = {trial.incident.kind for trial in evidence.trials}
    assert kinds == {IncidentKind.PROTOCOL}


def test_a_missing_function_is_unresolved(collect):
    evidence = collect("def funktion(image, kernel, stride=1):\n    return 1")
    assert evidence == FunctionEvidence(
        **evidence.model_dump(include={"part", "file", "isolation"}),
        unresolved=evidence.unresolved,
    )
    assert evidence.unresolved[0].available == ("funktion",)


def test_nothing_but_numbers_becomes_an_array():
    assert as_array(np.bool_(True)) is None
    assert as_array(Opaque("x", "y")) is None
    assert as_array([Opaque("x", "y")]) is None
    assert as_array(np.zeros(MAX_ELEMENTS)) is not None
    assert as_array(np.zeros(MAX_ELEMENTS + 1)) is None
