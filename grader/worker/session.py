"""A worker's session: answers requests about the student's code until the channel closes."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import linecache
import socket
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from grader.records.barriers import Barrier
from grader.records.incident import LimitName
from grader.records.messages import Ready, StudentFailure
from grader.records.spaces import space_from_data
from grader.records.spec import Limits
from grader.records.wire import HEADER, frame, type_name
from grader.worker import (
    agent_trials,
    channels_first,
    entropy,
    environment_trials,
    fast_predict,
    gradients,
    gym_compatibility,
    inspector,
    models,
    pictures,
    playing,
    repeated,
    target_networks,
)
from grader.worker.binding import bind, call, parameter_names
from grader.worker.channel import Closed, WorkerChannel
from grader.worker.confinement.limits import MEBIBYTE, limit_files
from grader.worker.definitions import import_definitions
from grader.worker.failures import failure_of
from grader.worker.reading import read_source

Handler = Callable[["Session", dict[str, Any]], Any]


class FailedAt(Exception):
    """An error in one of several calls."""

    def __init__(self, index: int, error: BaseException) -> None:
        self.index = index
        self.error = error
        super().__init__(index)


class Session:
    """The objects of one worker: the student's module and what was kept."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = root
        self.limits = limits
        self.module: types.ModuleType | None = None
        self.kept: dict[str, Any] = {}
        self.names: dict[str, str] = {}
        """Name found for each role."""

    def target(self, name: str) -> Any:
        """What was kept or resolved under a name."""
        return self.kept[name]

    def argument(self, value: Any) -> Any:
        """An argument as the student's code gets it."""
        if isinstance(value, dict):
            marker = value.get("$")
            if marker == "space":
                return space_from_data(value["data"])
            if marker == "kept":
                return self.kept[value["name"]]
            return {key: self.argument(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(self.argument(item) for item in value)
        if isinstance(value, np.ndarray):
            return value.copy()  # writable, and the student's own
        return value

    def arguments(self, values: dict[str, Any]) -> dict[str, Any]:
        """Several arguments by name."""
        return {name: self.argument(value) for name, value in values.items()}


def _put_file(session: Session, request: dict[str, Any]) -> None:
    path = session.root / request["path"]
    if ".." in path.parts or not path.is_relative_to(session.root):
        raise ValueError(f"{request['path']} lies outside the folder of the submission")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(request["content"])


def _seed(_: Session, request: dict[str, Any]) -> None:
    entropy.seed_everything(request["seed"])


def _read_file(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    return read_source(session.root / request["file"], session.root)


def _import_file(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    path = session.root / request["file"]
    if str(session.root) not in sys.path:
        sys.path.insert(0, str(session.root))
    limit_files(session.limits)
    linecache.getlines(str(path))  # an error that leaves no descriptor free can quote it too
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{request['file']} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.argv = [request["file"]]
    answer: dict[str, Any] = {}
    if request["definitions_only"]:
        answer = import_definitions(module, path)
    else:
        spec.loader.exec_module(module)
    session.module = module
    return answer


_KINDS: Final[dict[str, Callable[[Any], bool]]] = {
    "class": inspect.isclass,
    "function": lambda value: callable(value) and not inspect.isclass(value),
    "method": callable,
}


def _resolve(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    owner: Any = session.module if request["owner"] is None else session.kept[request["owner"]]
    fits = _KINDS[request["what"]]
    wrong_kind = None
    for name in request["names"]:
        value = getattr(owner, name, None)
        if value is None:
            continue
        if not fits(value):
            wrong_kind = _kind_of(value)
            continue
        session.names[request["role"]] = name
        if request["what"] != "method":
            session.kept[request["role"]] = gym_compatibility.for_grading(value)
        parameters = parameter_names(value)
        if request["what"] == "method":
            parameters = tuple(p for p in parameters if p != "self")
        return {"name": name, "line": _line(value, session.root), "parameters": parameters}
    public = sorted(
        name
        for name, value in vars(owner).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and (request["owner"] is not None or getattr(value, "__module__", None) == owner.__name__)
    )
    return {"available": tuple(public[:50]), "wrong_kind": wrong_kind}


def _kind_of(value: Any) -> str:
    if inspect.isclass(value):
        return "a class"
    if inspect.ismodule(value):
        return "a module"
    if callable(value):
        return "a function"
    return f"a value of type {type_name(value)}"


def _line(value: Any, root: Path) -> int | None:
    try:
        source = inspect.unwrap(value)
        filename = inspect.getsourcefile(source)
        if filename is None or not filename.startswith(f"{root}/"):
            return None
        return inspect.getsourcelines(source)[1]
    except Exception:  # noqa: BLE001  the source may be anything, `__wrapped__` as well
        return None


def _method(session: Session, request: dict[str, Any]) -> Any:
    target = session.target(request["target"])
    if request["method"] is None:
        return target
    return getattr(target, session.names.get(request["method"], request["method"]))


def _invoke(session: Session, request: dict[str, Any]) -> Any:
    function = _method(session, request)
    arguments = session.arguments(request["arguments"])
    result = function(**arguments) if request["exact"] else call(function, arguments)
    if request["keep"] is None:
        return models.plain(result)
    session.kept[request["keep"]] = result
    return "None" if result is None else type_name(result)


def _invoke_many(session: Session, request: dict[str, Any]) -> list[Any]:
    function = _method(session, request)
    results = []
    for index, value in enumerate(request["values"]):
        try:
            arguments = {request["argument"]: session.argument(value)}
            results.append(models.plain(call(function, arguments)))
        except Exception as error:
            raise FailedAt(index, error) from error
    return results


def _call_each(session: Session, request: dict[str, Any]) -> list[Any]:
    calls = [session.arguments(arguments) for arguments in request["calls"]]
    try:
        return repeated.call_each(
            _method(session, request), calls,
            overwrite=request["overwrite"], keep_going=request["keep_going"],
            whole=request["whole"],
        )  # fmt: skip
    except repeated.FailedCall as failed:
        raise FailedAt(failed.index, failed.error) from failed.error


def _call(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    arguments = session.arguments(request["arguments"])
    value = call(session.target(request["target"]), arguments)
    return {
        "value": models.plain(value),
        "type_name": type_name(value),
        "arguments": {
            name: item for name, item in arguments.items() if isinstance(item, np.ndarray)
        },
    }


def _loss(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    import tensorflow as tf

    function = session.target(request["target"])
    tensors = {name: tf.constant(value) for name, value in request["arguments"].items()}
    watched = tensors[request["with_respect_to"]]
    positional, keywords = bind(function, tensors)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        value = function(*positional, **keywords)
    gradient = tape.gradient(value, watched) if tf.is_tensor(value) else None
    return {
        "value": models.plain(value),
        "type_name": type_name(value),
        "gradient": None if gradient is None else models.plain(tf.convert_to_tensor(gradient)),
    }


def _watch_environment(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    return environment_trials.watch(
        session.target(request["target"]), session.argument,
        seed=request["seed"], other_seed=request["other_seed"],
        actions=tuple(request["actions"]), file=session.root / request["file"],
    )  # fmt: skip


def _model_facts(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    name = request["target"]
    model, told = models.facts(
        session.target(name), request["names"], request["shapes"], request["outputs"]
    )
    session.kept[name] = model
    return told


STUDENT_HANDLERS: Final[dict[str, Handler]] = {
    "put_file": _put_file,
    "seed": _seed,
    "read_file": _read_file,
    "import_file": _import_file,
    "resolve": _resolve,
    "invoke": _invoke,
    "invoke_many": _invoke_many,
    "call": _call,
    "call_each": _call_each,
    "make_generator": lambda s, r: s.kept.__setitem__(r["keep"], np.random.default_rng(r["seed"])),
    "loss": _loss,
    "describe_spaces": lambda s, r: environment_trials.described(s.target(r["target"])),
    "watch_environment": _watch_environment,
    "step_environment": lambda s, r: environment_trials.stepped(
        _method(s, r | {"method": "step"}), map(s.argument, r["actions"])
    ),
    "wrap_environment": lambda s, r: s.kept.__setitem__(
        r["keep"],
        environment_trials.wrapped(s.target(r["target"]), r["how"], r["max_episode_steps"]),
    ),
    "describe": lambda s, r: models.describe(
        s.target(r["target"]), r["inputs"], training=r["training"]
    ),
    "model_facts": _model_facts,
    "forward": lambda s, r: models.forward(
        s.target(r["target"]), r["batches"], training=r["training"], compiled=r["compiled"]
    ),
    "read_weights": lambda s, r: s.target(r["target"]).get_weights(),
    "write_weights": lambda s, r: s.target(r["target"]).set_weights(list(r["weights"])),
    "load_weights": lambda s, r: s.kept.__setitem__(
        r["target"],
        playing.load_weights(s.target(r["target"]), s.root / r["file"], r["observations"]),
    ),
    "load_model": lambda s, r: s.kept.__setitem__(
        r["keep"], playing.load_model(s.root / r["file"], s.module)
    ),
    "act_greedily": lambda s, r: playing.act_greedily(
        s.target(r["target"]), r["observations"], r["actions"]
    ),
    "freeze": lambda s, r: target_networks.freeze(s.target(r["target"]), r["layer"]),
    "make_normalized": lambda s, r: s.kept.__setitem__(
        r["keep"], target_networks.normalized(r["inputs"], r["units"], r["outputs"])
    ),
    "make_mlp": lambda s, r: s.kept.__setitem__(r["keep"], models.mlp(r["weights"])),
    "make_optimizer": lambda s, r: s.kept.__setitem__(
        r["keep"], models.optimizer(r["kind"], r["learning_rate"])
    ),
    **agent_trials.HANDLERS,
}
"""What a worker with student code answers."""

INSPECTOR_HANDLERS: Final[dict[str, Handler]] = {
    "rebuild": lambda _, r: inspector.rebuild(
        r["graph"], r["weights"], r["batches"], training=r["training"]
    ),
    "reference": lambda _, r: inspector.reference(
        r["layers"], r["input_shape"], r["weights"], r["batches"]
    ),
    "gradients": lambda _, r: gradients.gradients(r["graph"], r["weights"], r["batch"]),
    "reference_steps": lambda _, r: inspector.reference_steps(r),
    "picture_values": lambda _, r: pictures.picture_values(r),
}
"""What an inspector answers; it never loads student code."""


def run_session(
    connection: socket.socket,
    *,
    is_inspector: bool,
    seed: int,
    root: Path,
    barriers: tuple[Barrier, ...],
    limits: Limits,
) -> None:
    """Answers requests until the grader closes the channel.

    Args:
        connection: the channel.
        is_inspector: whether this process judges networks and must never load student code.
        seed: seeds every generator of the process.
        root: the empty folder for the student's files.
        barriers: those that are in force, reported before anything else.
        limits: what the student's code may use.
    """
    channel = WorkerChannel(connection)
    handlers = INSPECTOR_HANDLERS if is_inspector else STUDENT_HANDLERS
    sys.dont_write_bytecode = True
    entropy.seed_everything(seed)
    channels_first.install()
    if not is_inspector:
        fast_predict.install()
    channel.send(frame(Ready(barriers=barriers).plain()))
    session = Session(root, limits)
    while True:
        try:
            number, request = channel.receive()
        except Closed:
            return
        answer = _answer(session, handlers, number, request)
        _flush()
        channel.send(answer)


def _answer(
    session: Session, handlers: dict[str, Handler], number: int, request: dict[str, Any]
) -> bytes:
    try:
        answer = frame([number, "ok", handlers[request["op"]](session, request)])
        if len(answer) <= HEADER.size + session.limits.reply_mb * MEBIBYTE:
            return answer
        failure = StudentFailure(
            error_type="", message=f"the answer takes {len(answer)} bytes", limit=LimitName.REPLY
        )
    except FailedAt as failed:
        failure = failure_of(failed.error, session.root, failed.index)
    except BaseException as error:  # noqa: BLE001  student code may raise anything at all
        failure = failure_of(error, session.root)
    return frame([number, "error", failure.plain()])


def _flush() -> None:
    """Brings what was printed to the pipe before the answer, so that it counts for this call."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # students put other objects in their place
            stream.flush()
