"""GAMO as an oversampler for imbalanced-learn. It is trained as on the command line."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from scipy import sparse

from gamo_tf.estimators import fitting, input_checks, resampled
from gamo_tf.inference import spread
from gamo_tf.inference.convex_sampler import ConvexSampler, Samples
from gamo_tf.methods.build import Networks
from gamo_tf.own_settings import own_settings


class GAMO(BaseOverSampler):
    """Oversampling of vectors by the convex generator of GAMO.

    A generator is trained in a game with a classifier and a discriminator to make
    convex combinations of the rows of each minority class, where the classifier errs
    (Algorithm 1 of [1]_). The new rows are its samples. The columns are standardised
    for the training; the new rows have the scale of X.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes get how many rows, as in all oversamplers of imbalanced-learn:

        - float: the ratio of the minority class to the majority class afterwards, for
          two classes;
        - str: "minority", "not minority", "not majority", "all" or "auto" (which is
          "not majority"): these classes get as many rows as the largest has;
        - dict: the number of rows of each label afterwards;
        - callable: takes y and returns such a dict.

        The largest class cannot get more rows: the generator has no part for it.
    loss : {"ls", "ce"}, default="ls"
        Least squares (Eqs. 4 to 6), or cross entropy (Eqs. 2, 3).
    iterations : int or None, default=None
        Number of minibatches. None makes 50 passes over the rows, at least 2,000 and
        at most 25,000 minibatches.
    batch_size : int, default=32
        Rows of a minibatch, 2 or more.
    learning_rate : float, default=2e-4
        Learning rate of Adam, for all networks.
    validation_fraction : float or None, default=None
        Share of each class that is not trained on and not combined. 25 times a fit the
        balanced accuracy of the game's classifier on these rows is measured, and the
        generator of its best moment is kept. None: all rows are trained on, and the
        last generator stays.
    n_iter_no_change : int or None, default=None
        Measurements without a better balanced accuracy after which the fit ends; given
        alone, a tenth of each class is not trained on. None: it never ends early.
    random_state : int, RandomState instance or None, default=None
        Of the validation rows, the initial weights, the minibatches and the generated
        rows.

    Attributes
    ----------
    sampling_strategy_ : dict
        The number of new rows of each label.
    sample_parents_ : ndarray of int, shape (n_new, 5)
        For each new row, in their order behind the rows of X: the rows of X that
        weigh most, heaviest first; -1 where a class has fewer.
    sample_weights_ : ndarray of shape (n_new, 5)
        Their convex weights. What is missing to 1 is spread over the other rows of
        the class.
    spread_ : dataframe
        For each label with new rows, how widely these are spread: ``ratio`` of their
        standard deviations to those of the real rows (median over the columns of
        numbers), the ``column`` with the smallest, ``half`` (how many of the
        ``parents`` carry half of the weight), the ``effective`` number of parents,
        the ``near_copies`` among the new ``rows``, and the ``verdict``. See
        `gamo_tf.inference.spread`.
    G_ : keras.Model or None
        The trained generator; None where there was nothing to oversample.
    n_iter_ : int
        Minibatches that were trained; 0 where there was nothing to oversample.
    validation_scores_ : ndarray of shape (n_evaluations,) or None
        The balanced accuracy on the validation rows at each measurement; the kept
        generator has the largest. None without such rows.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where a data frame was passed.

    See Also
    --------
    gamo_tf.GAMOClassifier : The classifier of the same game, also for images.
    imblearn.over_sampling.SMOTE : Convex combinations of two neighbours, drawn.

    References
    ----------
    .. [1] S. S. Mullick, S. Datta, S. Das, "Generative Adversarial Minority
       Oversampling", IEEE/CVF International Conference on Computer Vision (ICCV),
       2019, pp. 1695-1704. https://doi.org/10.1109/ICCV.2019.00178

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from gamo_tf import GAMO
    >>> X, y = load_wine(return_X_y=True)
    >>> X_new, y_new = GAMO(iterations=20, random_state=0).fit_resample(X, y)
    >>> X_new.shape
    (213, 13)
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseOverSampler._parameter_constraints,
        **{k: v for k, v in fitting.CONSTRAINTS.items() if k != "method"},
    }

    def __init__(
        self,
        *,
        sampling_strategy: float | str | dict | Callable = "auto",
        loss: str = "ls",
        iterations: int | None = None,
        batch_size: int = 32,
        learning_rate: float = 2e-4,
        validation_fraction: float | None = None,
        n_iter_no_change: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.loss = loss
        self.iterations = iterations
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state

    def fit(self, X: Any, y: Any, **params: Any) -> GAMO:
        """Check the rows and find how many new ones each class needs.

        Nothing is trained: `fit_resample` does that.

        Parameters
        ----------
        X, y, **params
            As of `fit_resample`.

        Returns
        -------
        GAMO
            The oversampler itself, with `sampling_strategy_`.

        Raises
        ------
        ValueError
            As `fit_resample`.
        """
        input_checks.refuse_missing(y)
        numbers, _ = input_checks.as_numbers(X)
        plain = input_checks.as_text(input_checks.plain(y))
        return super().fit(numbers, plain, **params)

    @own_settings()
    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        """Resample the rows.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n, d)
            Vectors. Data frames may have columns of several types, text and categories
            among them, which G and M see as a column for each category.
        y : array-like of shape (n,)
            Labels, two or more of each.
        **params : dict
            Has no effect; imbalanced-learn's samplers take it.

        Returns
        -------
        X_resampled : {ndarray, dataframe, sparse matrix} of shape (n_after, d)
            The rows of X exactly as they are, and behind them the new rows in the
            types of X: integers are rounded, and what cannot be combined (booleans,
            text, categories, dates) is that of the heaviest parent. In a data frame
            floating-point numbers have as many decimals as in X, and columns that
            identify rows have no identifier of X.
        y_resampled : array-like of shape (n_after,)
            The labels of these rows, of the type of y.

        Raises
        ------
        ValueError
            For data that cannot be trained on.

        Warns
        -----
        UserWarning
            Where new rows are narrow, or near copies of real ones (`spread_`).
        """
        input_checks.refuse_missing(y)
        numbers, columns = input_checks.as_numbers(X)
        input_checks.warn_of_identifiers(X, columns)
        params["categories"] = input_checks.sizes(columns)
        params["columns"] = resampled.number_columns(X)
        plain = input_checks.as_text(input_checks.plain(y))
        *_, (labels, samples, complaints) = super().fit_resample(
            numbers, plain, **params
        )
        if complaints:
            warnings.warn(
                f"{'. '.join(complaints)}. See spread_, and compare with SMOTE.",
                UserWarning,
                stacklevel=2,
            )
        # A new row has the label of its heaviest parent, which is of its class.
        rows = np.concatenate([np.arange(len(labels)), samples.parents[:, 0]])
        return resampled.extend(X, labels, samples), resampled.take(y, rows)

    def _fit_resample(
        self,
        X: Any,
        y: np.ndarray,
        categories: tuple[int, ...] = (),
        columns: dict[int, str] | None = None,
    ) -> tuple[Any, np.ndarray, tuple[np.ndarray, Samples, list[str]]]:
        """What `fit_resample` of imbalanced-learn calls with X and y that it has
        checked: X an array or a sparse matrix [n, d], y [n]. What is third is passed
        on by it: the labels as positions among the classes, the new rows, and what is
        wrong with their spread. That is measured of the named `columns`."""
        classes, codes = input_checks.encode(y)
        wanted = self._wanted(classes, np.bincount(codes))
        self.G_ = None
        self.n_iter_, self.validation_scores_ = 0, None
        samples, found = Samples.none(X.shape[1]), {}
        if wanted:
            dense = X.toarray() if sparse.issparse(X) else X
            # G knows the rows of a class by their order, class by class.
            order = np.argsort(codes, kind="stable")
            rows, labels = dense[order].astype(np.float64), codes[order]
            seed = fitting.seed_of(self.random_state)
            networks = Networks()
            done = fitting.fit(
                *(rows, labels, self, "gamo", seed, networks), categories=categories
            )
            self.n_iter_, self.validation_scores_ = done.iterations, done.scores
            order, rows, labels = order[done.rows], rows[done.rows], labels[done.rows]
            self.G_ = done.trainer.G
            # The rows themselves are combined, not their standardised columns: a
            # convex combination passes through the scaling.
            sampler = ConvexSampler(self.G_, rows, labels)
            samples = sampler.sample(wanted, seed)
            found = spread.measure(sampler, samples, columns or {})
            samples = fitting.in_original_order(samples, order)
        self.sample_parents_, self.sample_weights_ = samples.parents, samples.weights
        self.spread_ = spread.table(found, classes)
        return X, y, (codes, samples, spread.complaints(found, classes))

    def _wanted(self, classes: np.ndarray, counts: np.ndarray) -> dict[int, int]:
        """New rows of each class, by its position. Raises ValueError where a largest
        class should get some."""
        largest = counts.max()
        wanted = {}
        for label, n in self.sampling_strategy_.items():
            (code,) = np.flatnonzero(classes == label)
            if n and counts[code] == largest:
                raise ValueError(
                    f"sampling_strategy: {label!r} is the largest class "
                    f"({largest} samples); GAMO generates only smaller ones."
                )
            if n:
                wanted[int(code)] = int(n)
        return wanted
