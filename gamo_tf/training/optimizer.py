"""Adam with one fused kernel a variable in place of ten small operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gamo")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` with the same slots and formula, by ResourceApplyAdam.

    The kernel adds epsilon to sqrt(v) before the bias correction, as Keras does.
    """

    def slots(self, variable: keras.Variable) -> list[keras.Variable]:
        """The running mean of a variable's gradients, and of their squares."""
        index = self._get_variable_index(variable)
        return [self._momentums[index], self._velocities[index]]

    def update_step(
        self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor
    ) -> None:
        step = tf.cast(self.iterations + 1, variable.dtype)
        beta_1 = tf.constant(self.beta_1, variable.dtype)
        beta_2 = tf.constant(self.beta_2, variable.dtype)
        mean, square = self.slots(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=mean.value.handle,
            v=square.value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, variable.dtype),
            grad=gradient,
        )


def minimize(
    moved: Sequence[tuple[keras.optimizers.Optimizer, Sequence[keras.Variable]]],
    loss: Callable,
    replicas: int = 1,
    scale: float = 1.0,
) -> Any:
    """One step of each optimizer on its own variables, down the gradient of a loss.

    No other variable moves, whatever `loss` reads: who learns is decided here and
    never by `trainable` flags.

    Args:
      moved: pairs of an optimizer and the variables that it moves.
      loss: computes the loss. If it is a vector, its sum is minimised; if a tuple,
        its first part, and the others are handed back.
      replicas: that call this together, each with the loss of its part of the rows.
      scale: the loss is multiplied by it, and the gradients are divided by it.

    Returns:
      What `loss` returned, before the step.
    """
    values = [[v.value for v in variables] for _, variables in moved]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        found = loss()
        value = found[0] if isinstance(found, tuple) else found
        if scale != 1:
            value *= scale
    gradients = tape.gradient(value, values)
    divisor = replicas * scale  # Keras adds the gradients of all replicas up
    if divisor != 1:
        gradients = tf.nest.map_structure(
            lambda g: tf.convert_to_tensor(g) / divisor, gradients
        )
    for (optimizer, variables), grads in zip(moved, gradients, strict=True):
        optimizer.apply_gradients(zip(grads, variables, strict=True))
    return found
