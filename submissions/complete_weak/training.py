import numpy as np


def huber_loss(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


def train_step(model, optimizer, states, targets):
    model.compile(optimizer=optimizer, loss="mse")
    model.fit(states, targets, verbose=0)
