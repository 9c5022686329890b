"""Saves and loads a .keras and an .h5 model whose Lambda reads a guarded file."""

import keras

import targets
from honest import create_q_model
from tools import attempt, read

attempt(keras.config.enable_unsafe_deserialization)


def payload(x, path=targets.GUARDED_FILE):
    read(path)
    return x


for name in ("model.keras", "model.h5"):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Lambda(payload, output_shape=(6,))])
    attempt(model.save, name)
    model = attempt(lambda name=name: keras.models.load_model(name, safe_mode=False)) or model
    attempt(model, keras.ops.zeros((1, 6)))
