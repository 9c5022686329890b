"""Answers direct calls of plain models, `model(x)`, by a compiled function.

Called directly, a model goes through its layers one by one, 2 to 16 ms. A model made of nothing but
Keras's own layers does the same every time, so that it can be compiled once and asked in a fifth of
a millisecond. Only that is done here: a `Sequential` or functional model whose layers are all known
to have no state and no chance at inference, on one array or tensor, outside any gradient tape,
compiled function or other layer, with `training` false or left out. All else goes the ordinary way,
and so does, from then on, a model of which a layer was changed after it was compiled. Weights may
change: the compiled function reads them anew in every call.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

import numpy as np

_WORTH_IT: Final = 16
"""Calls of one form after which compiling pays."""
_MAX_FORMS: Final = 8
_LAYERS: Final = frozenset({
    "InputLayer", "Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D", "SeparableConv2D",
    "Flatten", "Reshape", "Permute", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "PReLU",
    "Dropout", "SpatialDropout2D", "BatchNormalization", "LayerNormalization", "Rescaling",
    "Normalization", "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "RepeatVector", "Add",
    "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
})  # fmt: skip
"""Layers that do the same in every call at inference."""
_PURE_MODULES: Final = ("keras.src.activations", "keras.src.ops", "tensorflow.python.ops")
_HARMLESS: Final = frozenset({
    "built", "_called", "_losses_override", "_tracker", "_lock", "_trainable", "trainable",
    "_build_shapes_dict", "_compiled_trainable_state",
})  # fmt: skip
"""What a layer notes of itself, or what counts in training alone."""
_OF_A_MODEL: Final = frozenset({
    "_functional", "_layers", "call", "_dtype_policy", "_operations", "_operations_by_depth",
    "_nodes_by_depth", "_inputs_struct", "_outputs_struct",
})  # fmt: skip
"""Attributes of a model that decide what it does; the rest is for training."""


class _Compiled:
    """What is known of one model."""

    def __init__(self) -> None:
        self.changed = False
        self.calls: dict[Any, int] = {}
        self.graphs: dict[Any, Any] = {}


_known: weakref.WeakKeyDictionary[Any, _Compiled | None] = weakref.WeakKeyDictionary()
"""None for models that are not plain."""
_owners: dict[int, weakref.ref[_Compiled]] = {}
"""By the identity of a model or layer, what to tell when it changes."""
_originals: dict[str, Any] = {}


def install() -> None:
    """Replaces the direct call of `Sequential` and functional models in this process."""
    import keras
    from keras.src.models.functional import Functional

    if _originals:
        return
    layer = keras.layers.Layer
    _originals.update(call=layer.__call__, setattr=layer.__setattr__)
    for kind in (keras.Sequential, Functional):
        kind.__call__ = _call
    layer.__setattr__ = _noted


def uninstall() -> None:
    """Puts everything back."""
    import keras
    from keras.src.models.functional import Functional

    if not _originals:
        return
    for kind in (keras.Sequential, Functional):
        del kind.__call__
    keras.layers.Layer.__setattr__ = _originals["setattr"]
    _originals.clear()


def _noted(self: Any, name: str, value: Any) -> None:
    _originals["setattr"](self, name, value)
    if (owner := _owners.get(id(self))) is not None and _decides(self, name):
        known = owner()
        if known is not None:
            known.changed = True


def _decides(changed: Any, name: str) -> bool:
    import keras

    if isinstance(changed, keras.Model):
        return name in _OF_A_MODEL
    return name not in _HARMLESS


def _call(self: Any, *args: Any, **kwargs: Any) -> Any:
    ordinary = _originals["call"]
    if len(args) != 1 or not kwargs.keys() <= {"training"} or kwargs.get("training"):
        return ordinary(self, *args, **kwargs)
    form = _form(args[0])
    if form is None or not _is_outermost():
        return ordinary(self, *args, **kwargs)
    known = _compiled(self)
    if known is None or known.changed:
        return ordinary(self, *args, **kwargs)
    graph = known.graphs.get(form)
    if graph is None:
        known.calls[form] = known.calls.get(form, 0) + 1
        if known.calls[form] < _WORTH_IT or len(known.graphs) >= _MAX_FORMS:
            return ordinary(self, *args, **kwargs)
        graph = known.graphs[form] = _graph(self, form)
    import tensorflow as tf

    return graph(tf.constant(args[0]) if isinstance(args[0], np.ndarray) else args[0])


def _form(x: Any) -> Any:
    """Shape and dtype of an array or tensor; None for what goes the ordinary way."""
    if type(x) is np.ndarray:
        return (x.shape, x.dtype.name) if x.dtype.kind in "biuf" else None
    if type(x).__name__ == "EagerTensor" and not hasattr(x, "_keras_mask"):
        return tuple(x.shape), x.dtype.name
    return None


def _is_outermost() -> bool:
    """Whether nothing around the call has a say in it."""
    import tensorflow as tf
    from keras.src import backend
    from keras.src.backend.common import global_state
    from keras.src.distribution import distribution_lib
    from tensorflow.python import pywrap_tfe

    return (
        tf.executing_eagerly()
        and pywrap_tfe.TFE_Py_TapeSetIsEmpty()
        and global_state.get_global_attribute("current_call_ctx") is None
        and backend.get_autocast_scope() is None
        and not backend.in_stateless_scope()
        and distribution_lib.distribution() is None
        and not tf.distribute.has_strategy()
    )


def _compiled(model: Any) -> _Compiled | None:
    if model not in _known:
        if not model.built:
            return None  # it may be plain once it is
        parts = _parts(model)
        _known[model] = None if parts is None else _Compiled()
        if parts is not None and (made := _known[model]) is not None:
            _owners.update(dict.fromkeys(map(id, parts), weakref.ref(made)))
    return _known[model]


def _parts(model: Any) -> list[Any] | None:
    """A model, the models in it and all their layers; None where one of them is not plain."""
    import keras
    from keras.src.models.functional import Functional

    found: list[Any] = []
    waiting = [model]
    while waiting:
        part = waiting.pop()
        found.append(part)
        if type(part) in {keras.Sequential, Functional}:
            if "call" in vars(part):
                return None
            waiting.extend(part.layers)
            operations = getattr(part, "operations", ())
            others = [each for each in operations if not isinstance(each, keras.layers.Layer)]
            if not all(type(each).__module__.startswith("keras.src.ops") for each in others):
                return None
        elif not _is_plain(part):
            return None
    return found


def _is_plain(layer: Any) -> bool:
    kind = type(layer)
    return (
        kind.__name__ in _LAYERS
        and kind.__module__.startswith("keras.src.layers.")
        and kind.call.__module__.startswith("keras.src.")
        and kind.__call__ is _originals["call"]
        and not {"call", "__call__"} & vars(layer).keys()
        and getattr(layer, "activity_regularizer", None) is None
        and getattr(layer, "quantization_mode", None) is None
        and _is_pure(getattr(layer, "activation", None))
    )


def _is_pure(activation: Any) -> bool:
    import keras

    if activation is None:
        return True
    if isinstance(activation, keras.layers.Layer):
        return _is_plain(activation)
    module = getattr(activation, "__module__", None) or ""
    return module.startswith(_PURE_MODULES)


def _graph(model: Any, form: Any) -> Any:
    import tensorflow as tf

    shape, dtype = form
    # Held weakly: what is known of a model must not keep it.
    held = weakref.ref(model)
    ordinary = _originals["call"]
    function = tf.function(lambda x: ordinary(held(), x, training=False), autograph=False)
    return function.get_concrete_function(tf.TensorSpec(shape, dtype))
