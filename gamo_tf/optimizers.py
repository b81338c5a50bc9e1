"""Adam with one fused kernel a variable in place of ten small ops."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gamo")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, same slots and same formula, by ResourceApplyAdam.

    The kernel's epsilon is added to sqrt(v) before bias correction, as Keras's is.
    """

    def update_step(self, gradient, variable, learning_rate) -> None:
        step = tf.cast(self.iterations + 1, variable.dtype)
        beta_1 = tf.constant(self.beta_1, variable.dtype)
        beta_2 = tf.constant(self.beta_2, variable.dtype)
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, variable.dtype),
            grad=gradient,
        )


def descend(
    moved: list[tuple[keras.optimizers.Optimizer, list]], loss: Callable
) -> tf.Tensor:
    """One step of each optimizer on its variables, and on no others, down `loss()`.

    Returns what `loss()` gave; of a vector, the sum is descended.
    """
    values = [[v.value for v in variables] for _, variables in moved]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        value = loss()
    gradients = tape.gradient(value, values)
    for (optimizer, variables), grads in zip(moved, gradients, strict=True):
        optimizer.apply_gradients(zip(grads, variables, strict=True))
    return value
