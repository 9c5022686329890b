"""Plays with a network that was handed in without an agent: the largest value decides."""

from __future__ import annotations

import inspect
import types
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from grader.records.wire import type_name
from grader.worker.found_model import model_in
from grader.worker.models import plain


def load_weights(value: Any, file: Path, observations: Any) -> keras.Model:
    """The network in an object, with the weights of a file.

    Args:
        value: what a builder returned.
        file: the weights.
        observations: a batch that the network can be called with.

    Raises:
        TypeError: there is no network in it.
    """
    model, _ = model_in(value)
    if model is None:
        raise TypeError(f"the function returns no Keras model, but a value of {type_name(value)}")
    if not (model.built and model.weights):
        model(_as_fed(model, observations), training=False)
    model.load_weights(str(file))
    return model


def load_model(file: Path, module: types.ModuleType | None) -> Any:
    """A saved model.

    Args:
        file: a `.keras` file.
        module: the student's module, whose classes and functions the model may use.
    """
    own = {} if module is None else vars(module)
    known = {
        name: value
        for name, value in own.items()
        if inspect.isclass(value) or inspect.isfunction(value)
    }
    # Code in the file is the student's, as all that runs here; this process keeps it in.
    return keras.models.load_model(str(file), custom_objects=known, compile=False, safe_mode=False)


def act_greedily(model: Any, observations: Any, actions: int) -> npt.NDArray[np.int64]:
    """The action with the largest value for each row.

    Args:
        model: the network.
        observations: array; the first axis counts the rows.
        actions: values that it must have in a row.

    Raises:
        ValueError: the network's answer has another form.
    """
    values = plain(model.predict_on_batch(_as_fed(model, observations)))
    while isinstance(values, list | tuple) and values:
        values = values[0]
    values = np.asarray(values)
    if values.shape != (len(observations), actions):
        raise ValueError(
            f"the network's output has shape {values.shape} for {len(observations)} observations "
            f"and {actions} actions; it must be ({len(observations)}, {actions})"
        )
    largest: npt.NDArray[np.int64] = np.argmax(values, axis=-1).astype(np.int64)
    return largest


def _as_fed(model: Any, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Observations in the layout and the number type of the network's input."""
    wanted = getattr(model, "input_shape", None)
    batch = observations
    if isinstance(wanted, tuple) and len(wanted) == batch.ndim and batch.ndim > 2:
        for moved in (batch, np.moveaxis(batch, 1, -1), np.moveaxis(batch, -1, 1)):
            sides = zip(wanted[1:], moved.shape[1:], strict=True)
            if all(side in (None, found) for side, found in sides):
                batch = moved
                break
    return batch.astype(np.float32) if batch.ndim > 1 else batch
