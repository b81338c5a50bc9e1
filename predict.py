"""Starts `gamo_tf.cli.predict` from a checkout; installed, it is ``gamo predict``."""

from __future__ import annotations

import sys

from gamo_tf.cli.predict import main

if __name__ == "__main__":
    sys.exit(main())
