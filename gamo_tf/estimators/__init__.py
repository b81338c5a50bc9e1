"""GAMO as scikit-learn and imbalanced-learn know estimators. Docstrings are numpydoc,
as in these two libraries; users import the classes from `gamo_tf`."""

from gamo_tf.import_tensorflow import import_tensorflow

# Here, and not in `gamo_tf`, because a worker process that gets a pickled estimator
# imports its module directly.
import_tensorflow()
