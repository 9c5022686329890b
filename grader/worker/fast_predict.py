"""Answers small `Model.predict` calls without the machinery of a data pipeline.

`predict` builds a dataset and an iterator for every call, about 75 ms whatever the model. Here the
same compiled function is called on the same numbers, in a fifth of a millisecond. Agents call
`predict` once per step; without this a game would take a quarter of an hour.

Nothing else is to differ: the function is the model's own `predict_function`, traced for batches of
any length as `predict` does it, and its arguments have the form and the dtypes that the pipeline
would give them. Whatever is out of the ordinary goes the ordinary way: a model that runs eagerly,
that overrides a step or a function of prediction, or is spread over devices; callbacks; data that
is neither an array nor a tensor, nor made of these. No progress bar is printed.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

_BATCH: Final = 32  # `predict` splits larger inputs into batches of this size
_MAX_BATCHES: Final = 16
"""Longer data is worth a pipeline."""
_CONTAINERS: Final = (list, tuple, dict)
_OVERRIDES: Final = ("predict_step", "predict_on_batch", "make_predict_function", "run_eagerly",
                     "jit_compile", "distribute_strategy")  # fmt: skip
_TRACED: Final = "_traced_for_small_batches"
"""Attribute of a `predict_function`: what it was traced to, by the form of its argument."""


def install() -> None:
    """Replaces `keras.Model.predict` in this process."""
    import keras

    if not hasattr(keras.Model.predict, "original"):
        keras.Model.predict = _replacement(keras.Model.predict)


def uninstall() -> None:
    """Puts `keras.Model.predict` back."""
    import keras

    keras.Model.predict = getattr(keras.Model.predict, "original", keras.Model.predict)


def _replacement(original: Any) -> Any:
    import functools

    # `functools.wraps` leaves the name, the signature and the help as they were.
    @functools.wraps(original)
    def predict(
        self: Any,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        size = batch_size or _BATCH
        if steps is None and not callbacks and type(size) is int and _is_ordinary(self):
            rows = _rows(x)
            if 0 < rows <= size * _MAX_BATCHES:
                return _predicted(self, _as_fed(x), rows, size)
        return original(self, x, batch_size, verbose, steps, callbacks)

    predict.original = original  # type: ignore[attr-defined]
    return predict


def _is_ordinary(model: Any) -> bool:
    """Whether nothing of how a model predicts is its author's."""
    import keras
    import tensorflow as tf

    kind, own = type(model), vars(model)
    return (
        all(getattr(kind, name, None) is getattr(keras.Model, name, None) for name in _OVERRIDES)
        and not any(name in own for name in _OVERRIDES)
        and not model.run_eagerly
        and model.steps_per_execution == 1
        and getattr(model, "_distribute_strategy", None) is None
        and not tf.distribute.has_strategy()
        and tf.executing_eagerly()
    )


def _rows(x: Any) -> int:
    """Rows that all arrays in it have; 0 for what has to go the ordinary way."""
    import tensorflow as tf

    if type(x) in _CONTAINERS:
        found = {_rows(item) for item in (x.values() if type(x) is dict else x)}
        return found.pop() if len(found) == 1 else 0
    if type(x) is np.ndarray:
        return len(x) if x.ndim and x.dtype.kind in "biuf" else 0
    if tf.is_tensor(x) and type(x).__name__ == "EagerTensor":
        plain = x.dtype.is_floating or x.dtype.is_integer or x.dtype.is_bool
        return int(x.shape[0]) if x.shape.rank and plain else 0
    return 0


def _as_fed(x: Any) -> Any:
    """The data as tensors, as a pipeline hands it on: one float type, tuples in place of lists."""
    fed = _tensors(x)
    return (fed,) if isinstance(x, list | tuple) else fed


def _tensors(x: Any) -> Any:
    import keras
    import tensorflow as tf

    if type(x) is dict:
        return {key: _tensors(item) for key, item in x.items()}
    if isinstance(x, list | tuple):
        return tuple(map(_tensors, x))
    floats = keras.config.floatx()
    if isinstance(x, np.ndarray):
        return tf.constant(x.astype(floats) if x.dtype.kind == "f" and x.dtype != floats else x)
    return tf.cast(x, floats) if x.dtype.is_floating and x.dtype.name != floats else x


def _predicted(model: Any, fed: Any, rows: int, size: int) -> Any:
    import tensorflow as tf

    function = model.make_predict_function() or model.predict_function
    traced = _traced(function, fed)
    if rows <= size:
        return tf.nest.map_structure(_array, traced([fed]))
    batches = [
        traced([tf.nest.map_structure(lambda tensor, at=at: tensor[at : at + size], fed)])
        for at in range(0, rows, size)
    ]
    return tf.nest.map_structure(lambda *parts: _array(tf.concat(parts, axis=0)), *batches)


def _traced(function: Any, fed: Any) -> Any:
    """The graph for arguments of this form, whatever their number of rows."""
    import tensorflow as tf

    # Kept with the function, which a model replaces when it is compiled anew.
    known = vars(function).setdefault(_TRACED, {})
    if isinstance(fed, tf.Tensor):
        form: Any = (fed.dtype, tuple(fed.shape[1:]))
    else:
        leaves = tf.nest.flatten(fed)
        form = (str(tf.nest.map_structure(lambda _: 0, fed)),
                tuple((leaf.dtype, tuple(leaf.shape[1:])) for leaf in leaves))  # fmt: skip
    if form not in known:
        specs = tf.nest.map_structure(
            lambda tensor: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype), fed
        )
        known[form] = function.get_concrete_function([specs])
    return known[form]


def _array(output: Any) -> Any:
    import tensorflow as tf

    return output if isinstance(output, tf.RaggedTensor) else output.numpy()
