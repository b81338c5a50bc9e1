"""The graph of a functional model: its copy without nesting, its bottlenecks, its cut.

`gamo_tf.networks.backbones` hands out what is for other rooms.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
from keras import layers

from gamo_tf.errors import UserError

_MIB = 2**20
_FLOAT = 4  # bytes of a float32
_COPIES = 4  # of a weight that learns: itself, its gradient and two slots of Adam
_PASSING = 3  # largest layer outputs that are in memory at a time without gradients


def calmed(operation: Any) -> Any:
    """The call of an operation, which leaves later layers in inference by default.

    Keras layers for images, such as Resizing, have ``training=True`` as a default, and
    Keras hands it on to all layers behind them: BatchNormalization would learn from
    every image that is looked at. A caller's ``training=True`` still counts.

    Args:
      operation: a layer, or an operation of ``keras.ops``.
    """
    default = inspect.signature(operation.call).parameters.get("training")
    if default is not None and default.default is True:
        return functools.partial(operation, training=False)
    return operation


def replayed(network: Any, x: Any, pairs: dict, names: set[str]) -> Any:
    """Call copies of all operations of a network on a tensor, nested models flat.

    Args:
      network: a functional or sequential model.
      x: its input.
      pairs: (original, copy) by the original's id; added to.
      names: taken names; added to.

    Returns:
      The output, in the network's own structure.
    """

    def copied(operation: Any) -> Any:
        if isinstance(operation, keras.Model):
            return lambda y, **_: replayed(operation, y, pairs, names)
        if id(operation) not in pairs:
            copy = type(operation).from_config(
                {**operation.get_config(), "name": _free(operation.name, names)}
            )
            pairs[id(operation)] = operation, copy
        called = calmed(pairs[id(operation)][1])
        # Keras records defaults of `training` too: those of the file do not count.
        return lambda *args, training=None, **kwargs: called(*args, **kwargs)

    if isinstance(network, keras.Sequential):
        for layer in network.layers:
            x = copied(layer)(x)
        return x
    return network._run_through_graph(x, operation_fn=copied)


def _free(name: str, names: set[str]) -> str:
    free, k = name, 1
    while free in names:
        free, k = f"{name}_{k}", k + 1
    names.add(free)
    return free


class _Step(NamedTuple):
    """A tensor that every path through the graph passes, and what made it."""

    tensor: keras.KerasTensor
    operation: Any
    learned: bool  # whether weights came before it, or with it


def _nodes(network: Any) -> Iterator[Any]:
    """The nodes of a functional model's graph; each follows those it needs."""
    for depth in sorted(network._nodes_by_depth, reverse=True):
        yield from network._nodes_by_depth[depth]


def _steps(F: keras.Model) -> list[_Step]:
    """The bottlenecks of F's graph, from the image to the features."""
    nodes = list(_nodes(F))
    made = {id(t): k for k, node in enumerate(nodes) for t in node.outputs}
    # The oldest tensor that a later node needs; a bottleneck has none before it.
    oldest = [len(nodes)] * (len(nodes) + 1)
    for k in reversed(range(len(nodes))):
        needed = [made[id(t)] for t in nodes[k].input_tensors]
        oldest[k] = min([oldest[k + 1], *needed])
    steps, learned = [], False
    for k, node in enumerate(nodes):
        learned |= bool(getattr(node.operation, "weights", ()))
        if len(node.outputs) == 1 and oldest[k + 1] >= k:
            steps.append(_Step(node.outputs[0], node.operation, learned))
    return steps


def _last_map(F: keras.Model) -> keras.KerasTensor | None:
    """The last map before global pooling, which weights made; None: there is none."""
    found = None
    for step in _steps(F):
        if isinstance(
            step.operation, layers.GlobalAveragePooling2D | layers.GlobalMaxPooling2D
        ):
            break
        if step.learned and len(step.tensor.shape) == 4:
            found = step.tensor
    return found


def last_map(F: keras.Model) -> keras.Model:
    """Images [b, h, w, c] -> the last feature map [b, i, j, k] before pooling.

    Args:
      F: of `load_backbone`. The layers are shared.

    Raises:
      UserError: F has no feature map.
    """
    if (found := _last_map(F)) is None:
        raise UserError("This feature extractor has no feature map.")
    return keras.Model(F.inputs[0], found, name="last_map")


def cut(F: keras.Model, trains: str) -> tuple[keras.Model | None, keras.Model]:
    """Split F into a part that stays and a part that learns: learned(frozen(x)).

    Args:
      F: of `load_backbone`. Both parts share its layers.
      trains: "none", "all", or "top": the layers behind the narrowest tensor before
        the last map's size, which every path through F passes.

    Returns:
      The frozen part, None for "all"; and the part that learns, named "F", which is
      the identity for "none".

    Raises:
      UserError: "top" of a network without a feature map.
    """
    if trains == "all":
        return None, F
    if trains == "none":
        features = keras.Input(F.outputs[0].shape[1:], name="features")
        same = layers.Activation("linear", name="same")(features)
        return F, keras.Model(features, same, name="F")
    if (last := _last_map(F)) is None:
        raise UserError("This feature extractor has no feature map to cut it at.")
    tensor = _cut_at(_steps(F), last)
    frozen = keras.Model(F.inputs[0], tensor, name="frozen")
    return frozen, keras.Model(tensor, F.outputs[0], name="F")


def _cut_at(steps: list[_Step], last: keras.KerasTensor) -> keras.KerasTensor:
    """The tensor between the frozen part and the last stage."""

    def area(step: _Step) -> int:
        return math.prod(step.tensor.shape[1:3])

    maps = [step for step in steps if len(step.tensor.shape) == 4]
    larger = [s for s in maps if s.learned and area(s) > math.prod(last.shape[1:3])]
    if not larger:  # one stage: all that has weights learns
        return [step for step in steps if not step.learned][-1].tensor
    least = min(map(area, larger))
    stage = [step.tensor for step in larger if area(step) == least]
    best = stage.pop()
    # A block may widen its input before it makes it smaller: go back to its input.
    while stage and stage[-1].shape[3] <= best.shape[3]:
        tensor = stage.pop()
        best = tensor if tensor.shape[3] < best.shape[3] else best
    return best


def mebibytes(F: keras.Model, batch: int, learns: bool) -> float:
    """A rough estimate of the memory that F takes for a batch, in MiB.

    Args:
      F: a functional model.
      batch: number of images at a time.
      learns: whether gradients are taken, which need the outputs of all layers.
    """
    sizes = [math.prod(t.shape[1:]) for node in _nodes(F) for t in node.outputs]
    values = sum(sizes) if learns else sum(sorted(sizes)[-_PASSING:])
    weights = F.count_params() * (_COPIES if learns else 1)
    return _FLOAT * (batch * values + weights) / _MIB
