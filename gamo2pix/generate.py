"""From latents to images: z -> cTMU -> IGU of the class -> convex feature -> VAE."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from gamo2pix.code_networks import CodeShape
from gamo2pix.recipes import RECIPES
from gamo2pix.trained_backbone import TrainedBackbone
from gamo2pix.vae import FeatureDecoder
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import spec_of
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError
from gamo_tf.inference.convex_sampler import standard_normal
from gamo_tf.inference.players import load_player, load_sampler
from gamo_tf.methods.build import read_added
from gamo_tf.networks.batched import compiled
from gamo_tf.networks.feature_extractor import in_precision, to_pixels
from gamo_tf.runs.run import Run

# The random streams of a class are [seed, label, use]. Published images and scores
# depend on these numbers.
LATENTS = 0  # z of G
NOISE = 1  # of the VAE's z
INTERPOLATION = 2  # the ends of interpolation.png
ANCHORS = 3  # rows, and how far from them
CONTROLS = 9  # random convex weights


class Generated(NamedTuple):
    """Generated images of one class.

    Attributes:
      images: uint8 [m, h, w, c].
      weights: convex weights over the n_i training images of the class, [m, n_i];
        None where the images are no convex combinations.
    """

    images: np.ndarray
    weights: np.ndarray | None


# How far from its anchor an anchored point may be, as a share of the way to G's. Nearer
# ones look like copies, further ones like mixtures (docs/results.md).
NEAREST, FURTHEST = 0.3, 0.5
# Rows of which G's weights choose the partner of an anchor, drawn anew for each. Of all
# rows of a class, a G that has collapsed would take the same few again and again.
_CANDIDATES = 4
_TINY = 1e-6  # beside the deviation of a map

GenerateClass = Callable[[int, int], Generated]  # label, m -> up to m images


class ImageGenerator:
    """Generates images of the minority classes of a finished run.

    Column j of a class's IGU belongs to the j-th training row of the class in the
    run's own split, so that the order of rows is read from the run and never drawn.
    Sample k of a class is the same for every number of samples asked for.

    Args:
      run: a finished run with a convex G.
      split: the split that the run trained on.
      seed: of everything generated.
      recipe: a row of `RECIPES`, which says what Eq. 1 combines, and how.

    Attributes:
      images: training images, uint8 [n, h, w, c].
      labels: of these, int [n].
      extract: F, from images uint8 [m, h, w, c] to features float32 [m, d].
      features: those of all training images, float32 [n, d], with the last map of F
        behind them where the recipe has a spatial code.
      code: the parts of these; None where there is no map.
      sampler: G over these features.
      rows: minority label -> its training rows [n_i].
    """

    def __init__(
        self, run: Run, split: Split, seed: int, recipe: str = "paper"
    ) -> None:
        self.seed, self.recipe = seed, RECIPES[recipe]
        self.images, self.labels = split.images, split.labels
        self.code: CodeShape | None = None
        F = load_player(run, "F")
        if run.options.pretrained:
            self._behind_backbone(run, F)
        else:
            self._behind_own(run, F)
        self.sampler = load_sampler(run, self.features, split.labels)
        self.rows = self.sampler.rows

    def _behind_own(self, run: Run, F: keras.Model) -> None:
        """Features and maps of the paper's F, or pixels."""
        if run.options.precision != "float32":  # NumPy has no bfloat16 for its maps
            F = in_precision(F)
        self.extract = compiled(F)
        self.features = self.extract(self.images)
        if self.recipe.spatial and not run.options.features_are_pixels:
            last = [x for x in F.layers if isinstance(x, keras.layers.AveragePooling2D)]
            maps = compiled(keras.Model(F.inputs, last[-1].output))(self.images)
            self._add_maps(maps)

    def _behind_backbone(self, run: Run, F: keras.Model) -> None:
        """Features and maps of a pretrained F."""
        backbone = TrainedBackbone(run, F)
        self.extract = backbone.extract
        self.features = backbone.features(self.images)
        if self.recipe.spatial:
            self._add_maps(backbone.maps(self.images, self.labels))

    def _add_maps(self, maps: np.ndarray) -> None:
        """Put the last maps of F [n, i, j, k] behind the features."""
        self.code = CodeShape(self.features.shape[1], maps.shape[1:])
        maps /= maps.std() + _TINY
        flat = maps.reshape(len(maps), -1)
        self.features = np.concatenate([self.features, flat], axis=1)

    def normal(self, label: int, use: int, n: int, width: int) -> np.ndarray:
        """Standard normal numbers of a class.

        Args:
          label: of the class.
          use: of the numbers; each has a stream of its own.
          n: number of rows. More rows begin with the same ones.
          width: numbers a row.

        Returns:
          float32 [n, width].
        """
        return standard_normal([self.seed, label, use], n, width)

    def random_weights(self, label: int, n: int, concentration: float) -> np.ndarray:
        """Convex weights that no adversary chose: symmetric Dirichlet ones.

        Args:
          label: of the class.
          n: number of samples.
          concentration: of the distribution, above 0; 1 is uniform on the simplex.

        Returns:
          float32 [n, n_i]; rows sum to 1.
        """
        rng = np.random.default_rng([self.seed, label, CONTROLS])
        alpha = np.full(len(self.rows[label]), concentration)
        return rng.dirichlet(alpha, n).astype(np.float32)

    def decode(
        self,
        features: np.ndarray,
        decoder: FeatureDecoder | None,
        noise: np.ndarray | None = None,
    ) -> np.ndarray:
        """Features to images.

        Args:
          features: float32 [m, d].
          decoder: of the class; None for a flat run, whose features are pixels.
          noise: of the VAE's z, float32 [m, l]; None takes the mean of q(z|x).

        Returns:
          Images, uint8 [m, h, w, c].
        """
        if decoder is not None:
            return decoder(features, noise)
        return to_pixels(features, self.images.shape[1:])

    def weights(self, label: int, start: int, stop: int) -> np.ndarray:
        """The convex weights of samples of a class, as the recipe has them.

        Args:
          label: of a minority class.
          start: number of the first sample.
          stop: number after the last one.

        Returns:
          [stop - start, n_i], over `rows[label]`.
        """
        z = self.normal(label, LATENTS, stop, self.sampler.latent)[start:]
        if not self.recipe.anchored:
            return self.sampler.weights(label, z)
        logits = self.sampler.logits(label, z)
        n = logits.shape[1]
        rng = np.random.default_rng([self.seed, label, ANCHORS])
        drawn = rng.random((stop, 3 + _CANDIDATES), np.float32)[start:]
        share = NEAREST + (FURTHEST - NEAREST) * drawn[:, 0]
        places = np.minimum((drawn[:, 2:] * n).astype(int), n - 1)  # it can round up
        anchors, candidates = places[:, 0], places[:, 1:]
        chosen = softmax(np.take_along_axis(logits, candidates, axis=1), axis=1)
        passed = np.cumsum(chosen, axis=1)[:, :-1] <= drawn[:, 1:2]
        lines = np.arange(len(logits))
        partners = candidates[lines, passed.sum(axis=1)]
        weights = np.zeros_like(logits)
        weights[lines, partners] = share
        weights[lines, anchors] += 1.0 - share
        return weights

    def generate(
        self, label: int, decoder: FeatureDecoder | None, start: int, stop: int
    ) -> Generated:
        """Samples of a class.

        Args:
          label: of a minority class.
          decoder: of the class; None for a flat run.
          start: number of the first sample.
          stop: number after the last one.

        Returns:
          Images and weights of stop - start samples.
        """
        weights = self.weights(label, start, stop)
        return self.from_weights(label, decoder, weights, start)

    def from_weights(
        self,
        label: int,
        decoder: FeatureDecoder | None,
        weights: np.ndarray,
        start: int = 0,
    ) -> Generated:
        """The images of convex weights (Eq. 1, then the VAE).

        Args:
          label: of a minority class.
          decoder: of the class; None for a flat run.
          weights: float32 [m, n_i]; rows sum to 1.
          start: number of the first sample, which its noise follows.

        Returns:
          Images of the weights, and the weights.
        """
        noise = None
        if decoder is not None:
            stop = start + len(weights)
            noise = self.normal(label, NOISE, stop, decoder.latent)[start:]
        features = self.sampler.combine(label, weights)
        return Generated(self.decode(features, decoder, noise), weights)


def generator_for(
    run: Run, split: Split, seed: int = 0, recipe: str = "paper"
) -> GenerateClass:
    """Images of a finished run, by whichever way its method generates them.

    A convex G: its samples, by the class's VAE where features are no pixels. A method
    that adds images before training: those that it added, as many as there are. A
    free generator of a run on pixels: its samples.

    Args:
      run: a finished run.
      split: the split that the run trained on.
      seed: of what is generated.
      recipe: of a convex G (see `ImageGenerator`).

    Returns:
      A function of a minority label and a number of images.

    Raises:
      UserError: the method generates no images.
    """
    method, spec = METHODS[run.options.method], spec_of(run.options)
    if method.convex:
        generator = ImageGenerator(run, split, seed, recipe)

        def convex(label: int, n: int) -> Generated:
            decoder = None
            if not run.options.features_are_pixels:
                decoder = FeatureDecoder.load(run.pix_class(spec.classes[label]))
            return generator.generate(label, decoder, 0, n)

        return convex
    if method.oversample:
        return _added_images(run, split)
    if "G" in method.players and run.options.features_are_pixels:
        return _free_samples(run, split.images.shape[1:], seed)
    raise UserError(f"{run.path}: {method.name} generates no images.")


def _added_images(run: Run, split: Split) -> GenerateClass:
    """Of a method that oversamples: the first rows it trained on are the split's."""
    fed = read_added(run.fed, run.options, split)
    images, labels = (x[len(split.labels) :] for x in (fed.images, fed.labels))
    return lambda label, n: Generated(images[labels == label][:n], None)


def _free_samples(run: Run, shape: tuple[int, ...], seed: int) -> GenerateClass:
    """Of a G whose output is an image's pixels."""
    G = load_player(run, "G")
    classes = len(run.options.counts)

    def free(label: int, n: int) -> Generated:
        z = tf.constant(standard_normal([seed, label], n, run.options.latent))
        one_hot = tf.one_hot(tf.fill([n], label), classes)
        samples = G([z, one_hot], training=False).numpy()
        return Generated(to_pixels(samples, shape), None)

    return free
