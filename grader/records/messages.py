"""What the grader asks of a worker, and what it answers: requests and replies as records.

Every text in a reply is a student's text; it is cleaned here, where it enters.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from grader.records.agent_requests import FindNetworks, Prepare, Train
from grader.records.barriers import Barrier
from grader.records.base import Record
from grader.records.calls import Filled as Filled
from grader.records.calls import Invoke as Invoke
from grader.records.calls import PreparedCall as PreparedCall
from grader.records.environment_requests import StepEnvironment, WatchEnvironment, WrapEnvironment
from grader.records.incident import Frame, LimitName
from grader.records.message import Message as Message
from grader.records.playing_requests import ActGreedily, LoadModel, LoadWeights
from grader.records.practice_requests import (
    CallEach,
    Freeze,
    Gradients,
    MakeGenerator,
    MakeNormalized,
)
from grader.records.text import clean_line, clean_text
from grader.records.wire import WireError, decode, frame


class PutFile(Message):
    """Write one of the submission's files."""

    op: Literal["put_file"] = "put_file"
    path: str
    content: bytes


class Seed(Message):
    """Seed every random generator of the process."""

    op: Literal["seed"] = "seed"
    seed: int


class ReadFile(Message):
    """Read the source text of the part's file, without running it. Answers a `Reading`."""

    op: Literal["read_file"] = "read_file"
    file: str


class ImportFile(Message):
    """Import the part's file. Answers a `Definitions`."""

    op: Literal["import_file"] = "import_file"
    file: str
    definitions_only: bool = False
    """Leave out what is no import, function, class or simple assignment."""


class Resolve(Message):
    """Find a class, function or method under one of several names. Answers a `Found`."""

    op: Literal["resolve"] = "resolve"
    role: str
    what: str
    """`class`, `function` or `method`."""
    names: tuple[str, ...]
    owner: str | None = None
    """For a method: the role of its class."""


class Found(Message):
    """What `Resolve` found, or what there is instead."""

    name: str | None = None
    line: int | None = None
    parameters: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    wrong_kind: str | None = None


class InvokeMany(Message):
    """Call one method several times with prepared arguments; answers the list of results."""

    op: Literal["invoke_many"] = "invoke_many"
    target: str
    method: str
    argument: str
    values: tuple[Any, ...]


class Loss(Message):
    """Call a loss on tensors and differentiate it. Answers a `LossValue`."""

    op: Literal["loss"] = "loss"
    target: str
    arguments: dict[str, Any]
    with_respect_to: str


class LossValue(Message):
    """Value and gradient of a loss."""

    value: Any
    type_name: str
    gradient: Any = None


class Call(Message):
    """Call a function on arrays; also tells which arguments changed. Answers a `CallValue`."""

    op: Literal["call"] = "call"
    target: str
    arguments: dict[str, Any]


class CallValue(Message):
    """Result of `Call`, and the arguments as they were afterwards."""

    value: Any
    type_name: str
    arguments: dict[str, Any]


class Describe(Message):
    """Trace a kept model's forward pass. Answers a `Description`."""

    op: Literal["describe"] = "describe"
    target: str
    inputs: Any
    """An array, or a tuple of one for each input."""
    training: bool = False
    """What the network is told."""


class Description(Message):
    """The traced graph as plain data, and the arrays of its weights."""

    graph: dict[str, Any]
    weights: tuple[Any, ...]


class ModelFacts(Message):
    """What a kept object is; where it holds a model, that is kept in its place.

    Answers a dict: `is_model`, `type`, `wrapper` (where the model was found; empty for the object
    itself) and `extra_inputs` (shapes of inputs beyond those asked for).
    """

    op: Literal["model_facts"] = "model_facts"
    target: str
    names: tuple[str, ...] = ("input",)
    """Of the inputs asked for."""
    shapes: tuple[tuple[tuple[int, ...], ...], ...] = ((),)
    """Accepted shapes of each, batch axis left out."""
    outputs: tuple[str, ...] = ()
    """Names of the outputs asked for; a dictionary with these keys is read in their order."""


class Forward(Message):
    """Ask a kept model for its outputs. Answers a list of arrays, one for each, per batch."""

    op: Literal["forward"] = "forward"
    target: str
    batches: tuple[Any, ...]
    """Each an array, or a tuple of one for each input."""
    training: bool = False
    """What the network is told."""
    compiled: bool = False
    """Call it in a compiled function instead of step by step."""


class ReadWeights(Message):
    """All weights of a kept model, in Keras order. Answers a list of arrays."""

    op: Literal["read_weights"] = "read_weights"
    target: str


class WriteWeights(Message):
    """Set all weights of a kept model."""

    op: Literal["write_weights"] = "write_weights"
    target: str
    weights: tuple[Any, ...]


class MakeMlp(Message):
    """Build a small fully connected network and keep it."""

    op: Literal["make_mlp"] = "make_mlp"
    keep: str
    weights: tuple[Any, ...]
    """Kernel and bias of each layer; ReLU between layers."""


class MakeOptimizer(Message):
    """Make a Keras optimizer and keep it."""

    op: Literal["make_optimizer"] = "make_optimizer"
    keep: str
    kind: Literal["sgd", "adam"]
    learning_rate: float


class DescribeSpaces(Message):
    """The spaces of a kept environment. Answers `{observation_space, action_space, …}`."""

    op: Literal["describe_spaces"] = "describe_spaces"
    target: str


class Rebuild(Message):
    """Inspector: build a network from its graph and weights; answers its outputs."""

    op: Literal["rebuild"] = "rebuild"
    graph: dict[str, Any]
    weights: tuple[Any, ...]
    batches: tuple[Any, ...]
    """Each an array, or a tuple of one for each input."""
    training: bool = False
    """What its layers are told, where the graph does not say otherwise."""


class Reference(Message):
    """Inspector: build the expected network; answers outputs for given weights.

    With `weights` empty, answers the shapes of its weights instead.
    """

    op: Literal["reference"] = "reference"
    layers: tuple[dict[str, Any], ...]
    input_shape: tuple[int, ...]
    weights: tuple[Any, ...] = ()
    batches: tuple[Any, ...] = ()


class ReferenceSteps(Message):
    """Inspector: known training steps from given weights, and losses of weights that came back."""

    op: Literal["reference_steps"] = "reference_steps"
    weights: tuple[Any, ...]
    returned: tuple[Any, ...]
    states: Any
    targets: Any
    held_out_states: Any
    held_out_targets: Any
    kind: Literal["sgd", "adam"]
    learning_rate: float
    delta: float


class PictureValues(Message):
    """Inspector: values inside a network, and inside the convolutions asked for.

    Answers `values` (one array per node), `entry` (what the first convolution reads, if it has the
    shape of `image`, and `image` otherwise) and `expected` (what comes out of each convolution of
    the stack, which reads that).
    """

    op: Literal["picture_values"] = "picture_values"
    graph: dict[str, Any]
    weights: tuple[Any, ...]
    inputs: Any
    """One image as the student's network takes it, shape (1, *input shape)."""
    nodes: tuple[int, ...]
    entry: int
    """The node that the first convolution reads; −1 is the network's input."""
    image: Any
    """The same image channels last, shape (1, height, width, channels)."""
    stack: tuple[dict[str, Any], ...]
    """Layers, each with `kind` and `settings`."""
    stack_weights: tuple[Any, ...]
    """Kernel and bias of each convolution of the stack."""


class Space(Message):
    """A Gymnasium space as an argument."""

    kind: Literal["space"] = "space"
    data: dict[str, Any]


class Kept(Message):
    """Something kept earlier, as an argument."""

    kind: Literal["kept"] = "kept"
    name: str


Request = (
    PutFile | Seed | ReadFile | ImportFile | Resolve | Invoke | InvokeMany | CallEach
    | MakeGenerator | MakeNormalized | Freeze | Gradients | Loss | Call | Describe
    | ModelFacts | Forward | ReadWeights | WriteWeights | MakeMlp | MakeOptimizer
    | DescribeSpaces | WatchEnvironment | WrapEnvironment | Rebuild | Reference | ReferenceSteps
    | PictureValues | LoadWeights | LoadModel | ActGreedily | Filled
    | FindNetworks | Prepare | Train | StepEnvironment
)  # fmt: skip


class StudentFailure(Record):
    """An exception or a limit, as the worker tells it."""

    error_type: str = Field(max_length=300)
    message: str = Field(max_length=4000)
    frames: tuple[Frame, ...] = Field(default=(), max_length=20)
    limit: LimitName | None = None
    exited: bool = False
    """`sys.exit` was called."""
    at: int | None = None
    """Index of the call that failed, for `InvokeMany`."""


class Ready(Record):
    """First message of a worker, before any student code is loaded."""

    barriers: tuple[Barrier, ...]
    """What keeps it in, as it set it up itself."""


def encode_request(number: int, request: Request) -> bytes:
    """A request as a frame.

    Raises:
        WireError: it holds a value that has no plain form; the probe that made it is to blame.
    """
    if isinstance(request, Filled):
        return request.call.frame(number, request.value)
    return frame([number, {name: _wire_form(value) for name, value in request}], strict=True)


def _wire_form(value: object) -> object:
    if isinstance(value, Space | Kept):
        return {"$": value.kind, **{name: item for name, item in value if name != "kind"}}
    if isinstance(value, dict):
        return {key: _wire_form(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_wire_form(item) for item in value)
    return value


def decode_reply(body: bytes, number: int) -> Any | StudentFailure:
    """The value of a reply, or what went wrong in the student's code; all texts cleaned.

    Raises:
        WireError: the reply is malformed or answers another request.
    """
    match decode(body):
        case [answered, str("ok"), value] if type(answered) is int and answered == number:
            return _cleaned(value)
        case [answered, str("error"), failure] if type(answered) is int and answered == number:
            try:
                return _in_lines(StudentFailure.parse(_cleaned(failure)))
            except (TypeError, ValueError) as error:
                raise WireError("an error report is malformed") from error
    raise WireError("a reply does not answer the request")


def _in_lines(failure: StudentFailure) -> StudentFailure:
    """A failure whose texts are each a line; an exception's message alone may have several."""
    frames = tuple(
        line.model_copy(
            update={
                "file": clean_line(line.file),
                "function": clean_line(line.function),
                "text": clean_line(line.text),
            }
        )
        for line in failure.frames
    )
    return failure.model_copy(
        update={"error_type": clean_line(failure.error_type), "frames": frames}
    )


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case list():
            return [_cleaned(item) for item in value]
        case tuple():
            return tuple(_cleaned(item) for item in value)
        case dict():
            return {clean_text(key): _cleaned(item) for key, item in value.items()}
    return value
