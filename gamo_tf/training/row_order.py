"""Rows in random order, by the random state of a training."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from gamo_tf.networks.anchored_generator import row_at


def shuffled(random: tf.random.Generator, rows: tf.Tensor) -> tf.Tensor:
    """Rows in a fresh random order.

    Args:
      random: the random state.
      rows: [n].
    """
    seed = random.make_seeds(1)[:, 0]
    return tf.random.experimental.stateless_shuffle(rows, seed)


def rows_of(
    random: tf.random.Generator, counts: tf.Tensor, labels: tf.Tensor
) -> tf.Tensor:
    """A row of each label, drawn uniformly, with replacement.

    Args:
      random: the random state.
      counts: int32 [c], rows of each class; the rows are sorted by class.
      labels: int32, of any shape.

    Returns:
      Rows int32, of the shape of the labels.
    """
    share = random.uniform(tf.shape(labels))
    place = row_at(share, tf.gather(counts, labels))
    return tf.gather(tf.cumsum(counts, exclusive=True), labels) + place


def rows_by_class(
    random: tf.random.Generator, sizes: Sequence[int], wanted: Sequence[int]
) -> tf.Tensor:
    """Rows of every class in random order, each as often as the others of its class,
    give or take one.

    Args:
      random: the random state.
      sizes: rows of each class; the rows are sorted by class.
      wanted: rows of each class that are asked for; more than it has, or fewer.

    Returns:
      int32 [sum(wanted)], sorted by class.
    """
    found, start = [], 0
    for n, m in zip(sizes, wanted, strict=True):
        order = shuffled(random, tf.range(n))
        found.append(start + tf.gather(order, tf.range(m) % n))
        start += n
    return tf.concat(found, 0)
