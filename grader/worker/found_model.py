"""The Keras model in what a builder returned: that itself, or inside an object of the student's."""

from __future__ import annotations

import types
from typing import Any, Final

import keras

_NAMES: Final = ("model", "q_network", "q_net", "net", "network", "q_model", "policy", "policy_net")
_LIBRARIES: Final = ("keras", "tensorflow", "builtins", "numpy")
_NO_WRAPPERS: Final = (type, types.ModuleType, types.FunctionType, types.MethodType)
_DEPTH: Final = 4


def model_in(value: Any) -> tuple[Any, str]:
    """The model that something is or holds.

    Returns:
        The model or None, and where it was found: empty for the thing itself.
    """
    if isinstance(value, keras.Model):
        return value, ""
    if isinstance(value, keras.layers.Layer):
        return _adapted(value, [value]), "the layer itself"
    library = type(value).__module__.split(".")[0] in _LIBRARIES
    if library or isinstance(value, _NO_WRAPPERS) or not hasattr(value, "__dict__"):
        return None, ""
    members = dict(vars(value))
    for name in dict.fromkeys([*_NAMES, *members]):
        if isinstance(_member(value, name), keras.Model):
            return _member(value, name), f".{name}"[:100]
    layers = _layers_in(members)
    call = "call" if callable(getattr(value, "call", None)) else "__call__"
    if layers and callable(getattr(value, call, None)):
        return _adapted(getattr(value, call), layers, type(value).__name__), f".{call}"
    return None, ""


def _member(value: Any, name: str) -> Any:
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001  a property of the student's may raise anything
        return None


def _layers_in(value: Any, depth: int = 0) -> list[Any]:
    if isinstance(value, keras.layers.Layer):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple) and depth < _DEPTH:
        return [layer for item in value for layer in _layers_in(item, depth + 1)]
    return []


class _Adapted(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A model that does what something callable does."""

    def __init__(self, function: Any, layers: list[Any]) -> None:
        super().__init__()
        self.found_layers = layers
        self._function = (function,)  # no layer is to be looked for in it

    def call(self, inputs: Any) -> Any:
        return self._function[0](inputs)


def _adapted(function: Any, layers: list[Any], name: str = "Model") -> Any:
    return type(name, (_Adapted,), {})(function, layers)
