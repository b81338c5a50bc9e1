"""Starts `gamo_tf.experiments.reproduce`; installed, it is ``gamo reproduce``."""

from __future__ import annotations

import sys

from gamo_tf.experiments.reproduce import main

if __name__ == "__main__":
    sys.exit(main())
