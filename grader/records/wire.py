"""What crosses the boundary between the grader and a worker: frames, values, messages.

A frame is a four-byte big-endian length and a msgpack body. A body holds plain values and four
extension types: an array (dtype, shape, bytes), a numpy scalar, a tuple, and `Opaque`, which stands
for an object that is none of these. Nothing that arrives is unpickled or evaluated.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgpack
import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field, ValidationError

from grader.records.arrays import ALLOWED_DTYPES
from grader.records.base import Record
from grader.records.evidence import Frame, LimitName
from grader.records.text import clean_line

HEADER: Final = struct.Struct("!I")
MAX_DEPTH: Final = 16
"""Deepest nesting of containers in a value."""

_ARRAY, _SCALAR, _TUPLE, _OPAQUE = 1, 2, 3, 4
_INT64 = range(-(2**63), 2**63)


class WireError(ValueError):
    """A frame or message does not keep to the format; its sender is to blame."""


@dataclass(frozen=True)
class Opaque:
    """An object that has no plain form: its type's name and its text, cleaned and capped."""

    type_name: str
    text: str


def type_name(value: object) -> str:
    """The qualified name of a value's type, `int` rather than `builtins.int`."""
    kind = type(value)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def describe(value: object, limit: int = 120) -> str:
    """A short text for a value that was received, such as `2.0 (float)`."""
    if isinstance(value, Opaque):
        return clean_line(f"{value.text} ({value.type_name})", limit)
    if isinstance(value, np.ndarray):
        shown = np.array2string(value, threshold=6, precision=4).replace("\n", "")
        return clean_line(f"{shown} (array, {value.dtype.name}, shape {value.shape})", limit)
    if isinstance(value, np.generic):
        return clean_line(f"{value.item()!r} (numpy.{value.dtype.name})", limit)
    return clean_line(f"{value!r} ({type_name(value)})", limit)


def _plain(value: object, depth: int) -> object:
    """The wire form of a value; what has none becomes `Opaque`."""
    if depth > MAX_DEPTH:
        return _extension(Opaque("nested too deeply", ""))
    kind = type(value)
    if value is None or kind in (bool, float, bytes):
        return value
    if kind is int and value in _INT64:
        return value
    if kind is str:
        # Lone surrogates cannot be encoded.
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if kind is list:
        return [_plain(item, depth + 1) for item in value]  # type: ignore[attr-defined]
    if kind is dict and all(type(key) is str for key in value):  # type: ignore[attr-defined]
        return {key: _plain(item, depth + 1) for key, item in value.items()}  # type: ignore[attr-defined]
    if kind is tuple:
        items = [_plain(item, depth + 1) for item in value]  # type: ignore[attr-defined]
        return msgpack.ExtType(_TUPLE, msgpack.packb(items))
    return _extension(value)


def _extension(value: object) -> msgpack.ExtType:
    if isinstance(value, np.generic) and value.dtype.name in ALLOWED_DTYPES:
        body = msgpack.packb([value.dtype.name, value.tobytes()])
        return msgpack.ExtType(_SCALAR, body)
    if isinstance(value, np.ndarray) and value.dtype.name in ALLOWED_DTYPES:
        little = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False)
        body = msgpack.packb([value.dtype.name, list(value.shape), little.tobytes()])
        return msgpack.ExtType(_ARRAY, body)
    if isinstance(value, Opaque):
        opaque = value
    else:
        try:
            text = repr(value)
        except Exception:  # noqa: BLE001  a student's __repr__ may raise anything
            text = "(its repr raises)"
        opaque = Opaque(type_name(value), clean_line(text, 200))
    return msgpack.ExtType(_OPAQUE, msgpack.packb([opaque.type_name[:200], opaque.text[:300]]))


def encode(value: object) -> bytes:
    """A value as msgpack. What has no plain form becomes `Opaque`."""
    packed: bytes = msgpack.packb(_plain(value, 0))
    return packed


def frame(value: object) -> bytes:
    """A value as a frame, header included."""
    body = encode(value)
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> Any:
    """A value from msgpack.

    Raises:
        WireError: the bytes are not of the form above.
    """
    return _decode(body, 0)


def _decode(body: bytes, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise WireError("values are nested too deeply")

    def extension(code: int, data: bytes) -> object:
        content = _decode(data, depth + 1)
        if not isinstance(content, list):
            raise WireError("an extension holds no list")
        if code == _TUPLE:
            return tuple(content)
        if code == _OPAQUE:
            return _opaque(content)
        if code == _ARRAY:
            return _array(content)
        if code == _SCALAR and len(content) == 2:
            return _array([content[0], [], content[1]])[()]
        raise WireError(f"unknown extension {code}")

    try:
        return msgpack.unpackb(
            body,
            ext_hook=extension,
            strict_map_key=True,
            max_array_len=1 << 20,
            max_map_len=1 << 16,
        )
    except WireError:
        raise
    except Exception as error:  # msgpack raises many kinds, ValueError and StackError among them
        raise WireError(f"not msgpack: {type(error).__name__}") from error


def _opaque(content: list[object]) -> Opaque:
    match content:
        case [str() as name, str() as text]:
            return Opaque(clean_line(name, 200), clean_line(text, 300))
    raise WireError("an opaque value is not two texts")


def _array(content: list[object]) -> npt.NDArray[Any]:
    match content:
        case [str() as dtype, list() as shape, bytes() as data] if dtype in ALLOWED_DTYPES:
            sides = [side for side in shape if type(side) is int and 0 <= side < 2**32]
            if len(sides) != len(shape) or len(sides) > 32:
                raise WireError("an array has a bad shape")
            kind = np.dtype(dtype).newbyteorder("<")
            if math.prod(sides) * kind.itemsize != len(data):
                raise WireError("an array's bytes do not fit its shape")
            return np.frombuffer(data, dtype=kind).reshape(sides)
    raise WireError("an array is not dtype, shape and bytes")


# --- messages -----------------------------------------------------------------------------------


class Message(Record):
    """A record that may hold arrays."""

    model_config = ConfigDict(arbitrary_types_allowed=True)


class PutFile(Message):
    """Write one of the submission's files."""

    op: Literal["put_file"] = "put_file"
    path: str
    content: bytes


class Seed(Message):
    """Seed every random generator of the process."""

    op: Literal["seed"] = "seed"
    seed: int


class ImportFile(Message):
    """Import the part's file."""

    op: Literal["import_file"] = "import_file"
    file: str


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


class Invoke(Message):
    """Call something and answer, or keep, what it returns."""

    op: Literal["invoke"] = "invoke"
    target: str
    """A role, or the name something was kept under."""
    method: str | None = None
    """A role of a method, or (exact) a method's name."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Values by name; `Space` data and `Kept` references are turned into objects."""
    exact: bool = False
    """Pass all arguments by keyword, whatever the signature says."""
    keep: str | None = None
    """Keep the result under this name and answer its type's name instead."""


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


class Description(Message):
    """The traced graph as plain data, and the arrays of its weights."""

    graph: dict[str, Any]
    weights: tuple[Any, ...]


class ModelFacts(Message):
    """What a kept object is. Answers a dict: `is_model`, `type`."""

    op: Literal["model_facts"] = "model_facts"
    target: str


class Forward(Message):
    """Ask a kept model for its outputs (inference mode). Answers the list of output arrays."""

    op: Literal["forward"] = "forward"
    target: str
    batches: tuple[Any, ...]


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


class Space(Message):
    """A Gymnasium space as an argument."""

    kind: Literal["space"] = "space"
    data: dict[str, Any]


class Kept(Message):
    """Something kept earlier, as an argument."""

    kind: Literal["kept"] = "kept"
    name: str


Request = (
    PutFile | Seed | ImportFile | Resolve | Invoke | InvokeMany | Loss | Call | Describe
    | ModelFacts | Forward | ReadWeights | WriteWeights | MakeMlp | MakeOptimizer
    | DescribeSpaces | Rebuild | Reference | ReferenceSteps
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

    pid: int
    isolation: str
    layers: tuple[str, ...]
    """Barriers in force, by name."""


def encode_request(number: int, request: Request) -> bytes:
    """A request as a frame."""
    return frame([number, {name: _wire_form(value) for name, value in request}])


def _wire_form(value: object) -> object:
    if isinstance(value, Space | Kept):
        return {"$": value.kind, **{name: item for name, item in value if name != "kind"}}
    if isinstance(value, dict):
        return {key: _wire_form(item) for key, item in value.items()}
    return value


def decode_reply(body: bytes, number: int) -> Any | StudentFailure:
    """The value of a reply, or what went wrong in the student's code.

    Raises:
        WireError: the reply is malformed or answers another request.
    """
    content = decode(body)
    match content:
        case [int() as answered, "ok", value] if answered == number:
            return value
        case [int() as answered, "error", dict() as failure] if answered == number:
            try:
                return StudentFailure.parse(failure)
            except (ValidationError, TypeError, ValueError) as error:
                raise WireError("an error report is malformed") from error
    raise WireError("a reply does not answer the request")
