"""GAMO as scikit-learn and imbalanced-learn know estimators. Docstrings are numpydoc,
as in these two libraries; users import the classes from `gamo_tf`."""

from gamo_tf.errors import UserError
from gamo_tf.import_tensorflow import import_tensorflow
from gamo_tf.own_settings import own_settings

# Here, and not in `gamo_tf`, because a worker process that gets a pickled estimator
# imports its module directly.
try:
    with own_settings():
        import_tensorflow()
except UserError as err:
    raise ImportError(str(err)) from err
