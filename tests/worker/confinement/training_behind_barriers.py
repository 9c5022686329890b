"""Started by a test: trains, saves and loads a network behind Landlock and the filter."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gymnasium
import keras
import numpy as np
import tensorflow as tf

from grader.worker.confinement import capabilities, landlock, seccomp


def confine(scratch: str) -> None:
    library = Path(importlib.util.find_spec("grader").origin).parents[1]
    readable = [
        sys.prefix, sys.base_prefix, sysconfig.get_paths()["stdlib"], str(library), "/usr", "/lib",
        "/lib64", "/etc/ld.so.cache", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
        "/sys/devices/system/cpu",
    ]  # fmt: skip
    capabilities.drop_capabilities()
    capabilities.no_new_privileges()
    landlock.restrict(readable, [scratch], ["/dev/null", "/dev/urandom"])
    seccomp.install(may_start=False)


def work() -> None:
    env = gymnasium.make("CartPole-v1")
    states = [env.reset(seed=seed)[0] for seed in range(32)]
    x, y = np.asarray(states, np.float32), np.zeros((32, 2), np.float32)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2)]
    )
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, verbose=2)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(32).batch(8)
    dataset = dataset.map(lambda a, b: (a * 2, b), num_parallel_calls=2).prefetch(2)
    model.fit(dataset, epochs=1, verbose=2)
    expected = model.predict(x, verbose=0)
    for name in ("model.keras", "model.h5"):
        model.save(name)
        loaded = keras.models.load_model(name, compile=False)
        np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
    model.save_weights("model.weights.h5")
    model.load_weights("model.weights.h5")
    squared = tf.function(lambda a: tf.matmul(a, a, transpose_b=True), jit_compile=True)
    assert squared(x).shape == (32, 32)
    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(lambda _: model(x[:1]), range(4)))) == 4


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    confine(sys.argv[1])
    work()
    sys.stdout.write("trained\n")
    sys.stdout.flush()
    os._exit(0)  # taking the interpreter down in order would cost a second
