"""Settings of layers that come from the student's process, when nothing in them is code.

A configuration may hold other objects, as class, module and configuration; there, known layers and
plain models of known layers are let through and nothing else. Functions may be stored in one as
bytecode.
"""

from __future__ import annotations

from typing import Any, Final

from grader.worker.layers import KNOWN_LAYERS

_MODELS: Final = {
    "Sequential": "keras",
    "Functional": "keras.src.models.functional",
}
"""Models that may stand inside a layer such as `TimeDistributed`, and the modules Keras names."""


class CannotRebuild(ValueError):
    """The graph holds what is on no list of known layers and operations, or contradicts itself."""


def plain_config(node: dict[str, Any]) -> dict[str, Any]:
    """A layer's configuration, when nothing in it makes Keras look for code.

    Args:
        node: as in `GraphNode`.

    Raises:
        CannotRebuild: there is more in it than plain settings.
    """
    if node["config"].get("activation") == "unknown":
        raise CannotRebuild(f"the activation of {node['name']} is no known function")
    return {key: _plain(value, node["name"]) for key, value in node["config"].items()}


def _plain(value: Any, name: str) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain(item, name) for item in value]
        case {"module": "keras.layers", "class_name": str() as kind, "config": dict() as config}:
            if kind in KNOWN_LAYERS and value.get("registered_name") is None:
                return _object(
                    "keras.layers", kind, {key: _plain(item, name) for key, item in config.items()}
                )
        case {"module": module, "class_name": str() as kind, "config": {"layers": list()}}:
            if kind in _MODELS and module in ("keras", _MODELS[kind]):
                return _object(_MODELS[kind], kind, _model(value["config"], name))
    raise CannotRebuild(f"the configuration of {name} holds more than plain settings")


def _object(module: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def _model(config: dict[str, Any], name: str) -> dict[str, Any]:
    """The configuration of a model of known layers."""
    kept = {key: _plain(value, name) for key, value in config.items() if key != "layers"}
    return kept | {"layers": [_member(layer, name) for layer in config["layers"]]}


def _member(layer: Any, name: str) -> dict[str, Any]:
    """A layer of a model; in a functional one with what it reads."""
    match layer:
        case {"class_name": "InputLayer", "module": "keras.layers", "config": dict() as config}:
            plain = {key: _plain(value, name) for key, value in config.items()}
            made = _object("keras.layers", "InputLayer", plain)
        case _:
            made = _plain(layer, name)
    if isinstance(layer.get("name"), str):
        made["name"] = layer["name"]
        made["inbound_nodes"] = [
            {
                "args": _references(node["args"], name),
                "kwargs": {key: _references(item, name) for key, item in node["kwargs"].items()},
            }
            for node in layer.get("inbound_nodes", ())
        ]
    return dict(made)


def _references(value: Any, name: str) -> Any:
    """Arguments of a call in a functional model: plain values and outputs of other layers."""
    match value:
        case {"class_name": "__keras_tensor__", "config": dict() as config}:
            plain = {key: _plain(item, name) for key, item in config.items()}
            return {"class_name": "__keras_tensor__", "config": plain}
        case list() | tuple():
            return [_references(item, name) for item in value]
    return _plain(value, name)
