"""What the compiled passes are made of can run on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.kernels import get_registered_kernels_for_op

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import resolve, spec_of
from gamo_tf.methods.build import build
from gamo_tf.training.feature_trainer import FeatureTrainer, on_gpu

# A method of each trainer, and with it the kinds of sampling, of losses and of steps.
KINDS = {(m.trainer, m.samples, m.objective): name for name, m in METHODS.items()}


def devices(operation: str) -> set[str]:
    """Kinds of devices that TensorFlow, as it is installed, has kernels for."""
    return {k.device_type for k in get_registered_kernels_for_op(operation).kernel}


def operations(graph: tf.Graph) -> Iterator[str]:
    """The kinds of operations in a graph and in all functions that it calls."""
    text = graph.as_graph_def()
    for node in text.node:
        yield node.op
    for function in text.library.function:
        for node in function.node_def:
            yield node.op


def train_an_epoch(method: str) -> None:
    chosen = {"dataset": "digits", "method": method, "augment": True, "ema": 0.9}
    options = resolve({**chosen, "iterations": 60})
    labels = np.repeat(np.arange(len(options.counts)), options.counts)
    images = tf.zeros([len(labels), 8, 8, 1], tf.uint8)
    trainer = build(options, spec_of(options))
    trainer.epoch(images, tf.constant(labels, tf.int32), steps=2)


@pytest.fixture
def passes(monkeypatch) -> list[tf.Graph]:
    """The graphs of the passes that trainers compile from here on, once called."""
    found: list[tf.Graph] = []
    compiled = FeatureTrainer.compiled

    def spy(self: FeatureTrainer, function: Callable, jit_compile: bool) -> Callable:
        real = compiled(self, function, jit_compile)

        def call(*arguments: object) -> object:
            found.append(real.get_concrete_function(*arguments).graph)
            # Where there is a GPU, an operation that it cannot run is an error.
            gpu = on_gpu()
            tf.config.set_soft_device_placement(not gpu)
            try:
                with tf.device("/GPU:0" if gpu else "/CPU:0"):
                    return real(*arguments)
            finally:
                tf.config.set_soft_device_placement(True)

        return call

    monkeypatch.setattr(FeatureTrainer, "compiled", spy)
    return found


@pytest.mark.slow
@pytest.mark.skipif("GPU" not in devices("Conv2D"), reason="TensorFlow without CUDA")
@pytest.mark.parametrize("method", KINDS.values())
def test_every_operation_of_a_pass_has_a_kernel_for_gpus(passes, method):
    train_an_epoch(method)
    assert passes
    kinds = {kind for graph in passes for kind in operations(graph)}
    assert {"ResourceApplyAdam", "Conv2D", "MatMul"} <= kinds
    # An operation without kernels is one that calls a function, or is worked out when
    # the graph is made.
    hosts = {kind for kind in kinds if devices(kind) == {"CPU"}}
    assert not hosts
