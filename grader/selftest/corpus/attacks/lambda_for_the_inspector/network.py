"""Returns a network with code in it, for whoever rebuilds it."""

import os

import keras

import targets
from tools import attempt

own = os.getpid()


def payload(x, own=own, folder=targets.REPORTS_FOLDER, mark=targets.MARK):
    import os

    if os.getpid() != own:
        with open(os.path.join(folder, mark), "w") as file:
            file.write("rebuilt")
    return x


def create_q_model(num_actions):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Lambda(payload, output_shape=(6,)),
            keras.layers.Dense(num_actions),
        ]
    )
    return model
