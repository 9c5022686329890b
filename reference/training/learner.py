"""The Q-network, its target network, and the updates that move the one towards the other."""

from dataclasses import fields

import keras
import numpy as np
import tensorflow as tf
from memory import Batches
from numpy.typing import NDArray


class Learner:
    """Double Q-learning with a target network, over several steps at a time.

    The target is that of van Hasselt, Guez and Silver, arXiv 1509.06461 (2015), with the return
    over n steps in the place of the reward, as in Hessel et al., arXiv 1710.02298 (2017)::

        y = R + γ^n Q(s', argmax_a Q(s', a; θ); θ⁻)

    Args:
        network: The Q-network to train; shares its variables.
        target: Another of the same shape, for θ⁻.
        learning_rate: Step size of Adam.
        gradient_norm: Longer gradients, all variables taken together, are shortened to this.
        target_period: Updates between two copies of the network into the target network.
    """

    def __init__(
        self,
        network: keras.Model,
        target: keras.Model,
        learning_rate: float,
        gradient_norm: float,
        target_period: int,
    ) -> None:
        self._network = network
        self._target = target
        self._target.set_weights(network.get_weights())
        self._target_period = target_period
        self._optimizer = keras.optimizers.Adam(
            learning_rate, epsilon=1.5e-4, global_clipnorm=gradient_norm
        )
        self._optimizer.build(network.trainable_variables)
        self._num_actions = network.output_shape[-1]
        self._update = tf.function(self._updates, autograph=False)
        self._next_copy = target_period
        self.updates = 0

    def update(self, batches: Batches) -> None:
        """Takes one gradient step for each batch."""
        self._update(*(tf.constant(getattr(batches, field.name)) for field in fields(Batches)))
        self.updates += len(batches.actions)
        if self.updates >= self._next_copy:
            self._target.set_weights(self._network.get_weights())
            self._next_copy += self._target_period

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Returns all variables and counters, by name."""
        groups = {
            "network": self._network.get_weights(),
            "target": self._target.get_weights(),
            "optimizer": [np.asarray(variable) for variable in self._optimizer.variables],
        }
        arrays = {
            f"{group}/{index}": array
            for group, values in groups.items()
            for index, array in enumerate(values)
        }
        counters = np.asarray([self.updates, self._next_copy])
        return {**arrays, "counters": counters}

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Goes back to what `state` returned."""
        self._network.set_weights(numbered(state, "network"))
        self._target.set_weights(numbered(state, "target"))
        optimizer = numbered(state, "optimizer")
        for variable, array in zip(self._optimizer.variables, optimizer, strict=True):
            variable.assign(array)
        self.updates, self._next_copy = (int(count) for count in state["counters"])

    def _updates(
        self,
        observations: tf.Tensor,
        actions: tf.Tensor,
        returns: tf.Tensor,
        discounts: tf.Tensor,
        next_observations: tf.Tensor,
    ) -> None:
        # Unrolled: one call for a block of updates costs less than one for each.
        for index in range(observations.shape[0]):
            self._step(
                tf.cast(observations[index], tf.float32),
                actions[index],
                returns[index],
                discounts[index],
                tf.cast(next_observations[index], tf.float32),
            )

    def _step(
        self,
        observations: tf.Tensor,
        actions: tf.Tensor,
        returns: tf.Tensor,
        discounts: tf.Tensor,
        next_observations: tf.Tensor,
    ) -> None:
        best = tf.argmax(self._network(next_observations), axis=-1)
        best_values = self._select(self._target(next_observations), best)
        targets = returns + discounts * best_values
        with tf.GradientTape() as tape:
            values = self._select(self._network(observations, training=True), actions)
            # Huber's loss with δ = 1, the "error clipping" of Mnih et al. (2015).
            error = tf.abs(targets - values)
            clipped = tf.minimum(error, 1.0)
            loss = tf.reduce_mean(0.5 * clipped**2 + (error - clipped))
        variables = self._network.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)

    def _select(self, values: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.one_hot(actions, self._num_actions) * values, axis=-1)


def numbered(state: dict[str, NDArray[np.generic]], group: str) -> list[NDArray[np.generic]]:
    """Returns the arrays `group/0`, `group/1`, … in this order."""
    count = sum(name.startswith(f"{group}/") for name in state)
    return [state[f"{group}/{index}"] for index in range(count)]
