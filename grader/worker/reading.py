"""Reads the source text of the student's file, without running it, for hints and line numbers.

It runs in the student's own process, because parsing a hostile text can crash the parser. Whatever
cannot be read gives no hints.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import keras

from grader.records.source import (
    MAX_HINTS,
    MAX_LAYER_CALLS,
    MAX_SOURCE_BYTES,
    MAX_TEXT_CHARS,
    HintKind,
)
from grader.records.text import clean_line
from grader.worker.old_gym import old_lines

OLD_ARGUMENTS: Final = frozenset({
    "subsample", "border_mode", "nb_filter", "nb_row", "nb_col", "filter_length", "output_dim",
    "init", "inner_init", "inner_activation", "forget_bias_init", "consume_less",
    "W_regularizer", "b_regularizer", "U_regularizer", "W_constraint", "b_constraint",
    "U_constraint", "dropout_W", "dropout_U", "dim_ordering", "batch_input_shape",
    "weights", "bias", "p", "pool_length", "subsample_length", "nb_epoch",
    "samples_per_epoch", "nb_val_samples", "nb_worker", "max_q_size", "lr", "decay", "input",
    "output",
})  # fmt: skip
_STILL_IN_EMBEDDING: Final = frozenset({"output_dim"})
_OPTIMIZERS: Final = frozenset(
    {"Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "AdamW"}
)
_METHODS: Final = frozenset({"fit", "fit_generator", "predict", "compile", "evaluate"})
OLD_CALLS: Final = frozenset({
    "fit_generator", "evaluate_generator", "predict_generator", "predict_classes",
    "predict_proba", "set_image_dim_ordering", "image_dim_ordering", "to_yaml",
    "model_from_yaml", "get_updates",
})  # fmt: skip
_TF1: Final = frozenset({
    "placeholder", "Session", "InteractiveSession", "global_variables_initializer",
    "initialize_all_variables", "reset_default_graph", "get_variable", "variable_scope",
    "get_default_session", "ConfigProto", "contrib", "gradients", "layers",
})  # fmt: skip
OLD_MODULES: Final = re.compile(
    r"(?:tensorflow\.)?keras\.(?:layers\.(?:convolutional|core|advanced_activations|normalization|"
    r"merge|recurrent|pooling|embeddings|wrappers|noise|local|experimental)\b|utils\.(?:np_utils|"
    r"vis_utils|generic_utils)\b|engine\b|objectives\b|optimizers\.legacy\b|wrappers\.scikit_learn"
    r"\b|backend\.tensorflow_backend\b)|tensorflow\.(?:contrib|python\.keras)\b|gym(?:\.|$)"
)
OLD_NAMES: Final = frozenset({
    "Merge", "merge", "CuDNNLSTM", "CuDNNGRU", "Deconvolution2D", "AtrousConvolution2D",
    "TimeDistributedDense", "MaxoutDense", "Highway", "np_utils",
})  # fmt: skip

_MAX_OLD_LINES: Final = 12
_CONVOLUTIONS: Final = frozenset({"Conv2D", "Convolution2D"})
_WINDOWS: Final = frozenset({"plt.show", "pyplot.show", "cv2.imshow", "cv2.waitKey"})
_DOWNLOADS: Final = frozenset({
    "urlretrieve", "urlopen", "requests.get", "wget.download", "gdown.download", "get_file",
    "mnist.load_data", "cifar10.load_data", "imdb.load_data", "drive.mount", "files.upload",
    "hf_hub_download", "snapshot_download",
})  # fmt: skip
_TRAINING: Final = frozenset({"fit", "fit_generator", "train_on_batch", "learn", "train"})
_DEFINITIONS: Final = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom
)  # fmt: skip
_ABSOLUTE: Final = re.compile(r"(?:[A-Za-z]:[\\/]|/home/|/Users/|/content/|/kaggle/|/mnt/)\S")
_PACKAGES: Final = frozenset(
    {"keras", "tensorflow", "gymnasium", "gym", "numpy", "scipy", "pygame", "matplotlib"}
)


class _Reader:
    """Gathers hints and layer calls of one module."""

    def __init__(self, source: str, beside: frozenset[str]) -> None:
        self._lines = source.splitlines()
        self._layers = _layer_names()
        self._beside = beside
        self._own: set[str] = set()
        self.hints: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self._seen: set[tuple[str, int, str]] = set()

    def hint(self, kind: HintKind, node: ast.AST, text: str) -> None:
        line = getattr(node, "lineno", 1)
        shown = clean_line(text, MAX_TEXT_CHARS)
        key = (kind.value, line, shown)
        if shown and key not in self._seen:
            self._seen.add(key)
            self.hints.append({"kind": kind.value, "line": line, "text": shown})

    def read(self, module: ast.Module) -> None:
        # What stands under the main guard is for its author alone.
        body = [node for node in module.body if not is_main_guard(node)]
        nodes = [node for statement in body for node in ast.walk(statement)]
        self._own = {
            node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        tried = {
            id(inner) for node in nodes if isinstance(node, ast.Try) for inner in ast.walk(node)
        }
        for node in nodes:
            if isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                if id(node) not in tried:
                    self._import(node)
            elif isinstance(node, ast.Attribute):
                self._attribute(node)
            elif isinstance(node, ast.Constant) and _is_absolute(node.value):
                self.hint(HintKind.ABSOLUTE_PATH, node, str(node.value))
            self._chain(node)
        self._added(body)
        for node in itertools.islice(old_lines(ast.Module(body, [])), _MAX_OLD_LINES):
            self.hint(HintKind.OLD_GYM, node, self._text(node))
        for statement in body:
            if not isinstance(statement, _DEFINITIONS):
                self._top_level(statement)

    # --- anywhere ------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> None:
        name = dotted(node.func)
        last = name.rpartition(".")[2]
        if last in self._layers:
            self.calls.append({"kind": last, "line": node.lineno})
        if last in self._layers or last in _OPTIMIZERS or last in _METHODS or last == "Model":
            for keyword in node.keywords:
                if keyword.arg in OLD_ARGUMENTS and _is_old(last, keyword.arg):
                    self.hint(HintKind.OLD_ARGUMENT, keyword.value, keyword.arg or "")
        if _has_kernel_numbers(last, node.args):
            self.hint(HintKind.KERNEL_NUMBERS, node, self._text(node))
        if last in OLD_CALLS and last not in self._own:
            self.hint(HintKind.OLD_CALL, node, last)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            modules = [node.module or ""]
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if OLD_MODULES.match(node.module or ""):
                    continue  # told with the module
                if alias.name in OLD_NAMES or OLD_MODULES.match(name):
                    self.hint(HintKind.OLD_IMPORT, node, name)
        for module in modules:
            if OLD_MODULES.match(module):
                self.hint(HintKind.OLD_IMPORT, node, module)
            package = module.partition(".")[0]
            if package in self._beside and not getattr(node, "level", 0):
                self.hint(HintKind.SHADOWS, node, f"{package}.py")

    def _attribute(self, node: ast.Attribute) -> None:
        name = dotted(node)
        if node.attr in _TF1 and name in {f"tf.{node.attr}", f"tensorflow.{node.attr}"}:
            self.hint(HintKind.OLD_CALL, node, f"tf.{node.attr}")

    def _chain(self, node: ast.AST) -> None:
        """Layers in a row: in a list, or added one after the other."""
        if isinstance(node, ast.List | ast.Tuple):
            self._in_a_row(node.elts)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            self._added(body)

    def _added(self, body: list[ast.stmt]) -> None:
        added: dict[str, list[ast.expr]] = {}
        for statement in body:
            match statement:
                case ast.Expr(ast.Call(ast.Attribute(value=model, attr="add"), args=[layer, *_])):
                    added.setdefault(dotted(model), []).append(layer)
        for layers in added.values():
            self._in_a_row(layers)

    def _in_a_row(self, layers: list[ast.expr]) -> None:
        calls = [item for item in layers if isinstance(item, ast.Call)]
        for call in calls[1:]:
            name = dotted(call.func).rpartition(".")[2]
            if name in self._layers and any(item.arg == "input_shape" for item in call.keywords):
                self.hint(HintKind.LATER_INPUT_SHAPE, call, name)

    # --- at the top level ----------------------------------------------------------------------

    def _top_level(self, node: ast.stmt) -> None:
        calls = [call for call in outside_functions(node) if isinstance(call, ast.Call)]
        names = [dotted(call.func) for call in calls]
        working = any(_works(name) or name in self._own for name in names)
        if working and isinstance(node, ast.For | ast.While | ast.AsyncFor):
            self.hint(HintKind.LOOPS, node, self._text(node))
        for call, name in zip(calls, names, strict=True):
            if (kind := deed_of(name)) is not None:
                self.hint(kind, call, self._text(call))

    def _text(self, node: ast.AST) -> str:
        line = getattr(node, "lineno", 1) - 1
        return self._lines[line].strip() if 0 <= line < len(self._lines) else ""


def dotted(node: ast.expr) -> str:
    """`a.b.c` for names and attributes, the last name for what is computed, else empty."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        names.append(node.id)
    return ".".join(reversed(names))


def _is_old(callee: str, argument: str | None) -> bool:
    """Whether this callee no longer has the argument; some names are still those of another."""
    if callee == "Embedding" and argument in _STILL_IN_EMBEDDING:
        return False
    if argument in {"lr", "decay"}:
        return callee in _OPTIMIZERS
    if argument in {"input", "output"}:
        return callee == "Model"
    if argument == "p":
        return "Dropout" in callee
    return not (argument == "weights" and callee in _METHODS)


def _is_absolute(value: object) -> bool:
    """Whether a constant is a path that exists on one machine only."""
    return isinstance(value, str) and "\n" not in value and _ABSOLUTE.match(value) is not None


def _has_kernel_numbers(callee: str, arguments: list[ast.expr]) -> bool:
    """Whether a convolution got its kernel's height and width one after the other.

    The third number is the stride today. Where it is the same as the second one, or the class has
    its old name, it was probably meant as the width.
    """
    numbers = [
        each.value
        for each in arguments[:3]
        if isinstance(each, ast.Constant) and type(each.value) is int
    ]
    if callee not in _CONVOLUTIONS or len(numbers) < 3:
        return False
    return callee == "Convolution2D" or numbers[1] == numbers[2] > 1


def is_main_guard(node: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == "__main__":`."""
    return isinstance(node, ast.If) and any(
        isinstance(inner, ast.Name) and inner.id == "__name__" for inner in ast.walk(node.test)
    )


def outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, the bodies of functions left out."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if not isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(reversed(list(ast.iter_child_nodes(current))))


def _works(name: str) -> bool:
    """Whether a call trains or plays."""
    owner, _, last = name.rpartition(".")
    return bool(owner) and (last in _TRAINING or last == "step")


def deed_of(name: str) -> HintKind | None:
    """What a call at the top level does that is no matter of an import; None for other calls."""
    owner, _, last = name.rpartition(".")
    ends = {last, f"{owner.rpartition('.')[2]}.{last}"}
    if name in _WINDOWS or (owner and last == "render"):
        return HintKind.SHOWS_WINDOW
    if name == "input":
        return HintKind.READS_INPUT
    if ends & _DOWNLOADS:
        return HintKind.DOWNLOADS
    if owner and last in _TRAINING:
        return HintKind.TRAINS
    return HintKind.PLAYS if owner and last == "step" else None


def _shadowing(root: Path) -> frozenset[str]:
    """Files at the top of the submission that have the name of a package."""
    known = _PACKAGES | sys.stdlib_module_names
    return frozenset(file.stem for file in root.glob("*.py") if file.stem in known)


@cache
def _layer_names() -> frozenset[str]:
    """Names under which Keras offers layer classes, old names that still work among them."""
    return frozenset(
        name
        for name, kind in vars(keras.layers).items()
        if isinstance(kind, type) and issubclass(kind, keras.layers.Layer)
    )


def read_source(path: Path, root: Path) -> dict[str, Any]:
    """Hints and layer calls of a file, as the plain form of a `Reading`.

    Args:
        path: the file.
        root: the folder with the student's files.
    """
    try:
        if path.stat().st_size > MAX_SOURCE_BYTES:
            return {}
        content = path.read_bytes()
        reader = _Reader(content.decode(errors="replace"), _shadowing(root))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are told when the file is imported
            tree = ast.parse(content)
        reader.read(tree)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    by_line = sorted(reader.hints, key=lambda hint: int(hint["line"]))
    calls = sorted(reader.calls, key=lambda call: int(call["line"]))
    return {"hints": tuple(by_line[:MAX_HINTS]), "layer_calls": tuple(calls[:MAX_LAYER_CALLS])}
