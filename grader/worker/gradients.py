"""The inspector's gradients: how far a loss on a rebuilt network's outputs reaches back."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from grader.worker.inspector import _Rebuilt, _Run


def gradients(graph: dict[str, Any], weights: tuple[Any, ...], batch: Any) -> list[dict[str, Any]]:
    """The gradient of the sum of squared outputs with respect to every layer's weights.

    Each output is weighted with another number, so that outputs that always add up to the same (a
    softmax) have a gradient too.

    Args:
        graph: as in `NetworkGraph`; a claim of the student's process, proven elsewhere.
        weights: arrays its nodes refer to.
        batch: inputs, an array or a tuple of one for each input.

    Returns:
        For each layer with weights, in order: `node`, `gradients` (largest size for each weight
        that is trained, None where there is none), `finite` and `frozen`; for each ReLU `node`,
        `units` and `dead`.

    Raises:
        CannotRebuild: as for `inspector.rebuild`.
    """
    layers: dict[int, _Rebuilt] = {}
    run = _Run(graph, weights, layers, training=False)
    with tf.GradientTape() as tape:
        run.outputs(batch if isinstance(batch, tuple) else (batch,))
        loss = tf.add_n([_spread(run.values[index]) for index in graph["outputs"]])
    order = {number: position for position, number in _first_nodes(graph).items()}
    trained = {
        order[number]: list(rebuilt.layer.trainable_variables)
        for number, rebuilt in layers.items()
        if rebuilt.layer.weights
    }
    slopes = tape.gradient(loss, [[v.value for v in each] for each in trained.values()])
    found: dict[int, dict[str, Any]] = {}
    for node, each in zip(trained, slopes, strict=True):
        arrays = [None if slope is None else np.asarray(tf.convert_to_tensor(slope))
                  for slope in each]  # fmt: skip
        known = [array for array in arrays if array is not None]
        finite = all(bool(np.all(np.isfinite(array))) for array in known)
        found[node] = {
            "node": node, "finite": finite,
            "frozen": _frozen(layers[graph["nodes"][node]["layer"]].layer),
            "gradients": [
                None if array is None else float(np.max(np.abs(np.nan_to_num(array)), initial=0.0))
                for array in arrays
            ],
        }  # fmt: skip
    for position, node in enumerate(graph["nodes"]):
        if _is_relu(node):
            values = np.asarray(run.values[position])
            silent = np.all(values <= 0, axis=tuple(range(values.ndim - 1)))
            entry = found.setdefault(position, {"node": position, "gradients": [], "finite": True})
            entry |= {"units": int(silent.size), "dead": int(silent.sum())}
    return [found[node] for node in sorted(found)]


def _frozen(layer: Any) -> bool:
    """Whether a layer has weights that would be trained if it were not set to stay as it is."""
    if layer.trainable:
        return False
    layer.trainable = True  # rebuilt for this question alone
    return bool(layer.trainable_variables)


def _spread(values: Any) -> Any:
    values = tf.cast(values, tf.float32)
    factors = np.linspace(0.5, 1.5, int(values.shape[-1] or 1), dtype=np.float32)
    return tf.reduce_sum(factors * tf.square(values)) + tf.reduce_sum(factors * values)


def _first_nodes(graph: dict[str, Any]) -> dict[int, int]:
    """The node in which each layer is called first; by node, the number of the layer."""
    seen: dict[int, int] = {}
    for position, node in enumerate(graph["nodes"]):
        if node["layer"] is not None and node["layer"] not in seen.values():
            seen[position] = node["layer"]
    return seen


def _is_relu(node: dict[str, Any]) -> bool:
    return node["kind"] in ("ReLU", "relu") or node["config"].get("activation") == "relu"
