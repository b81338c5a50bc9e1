"""Starts `gamo_tf.cli.train` from a checkout; installed, it is ``gamo train``."""

from __future__ import annotations

import sys

from gamo_tf.cli.train import main

if __name__ == "__main__":
    sys.exit(main())
