"""``python -m gamo_tf``: the program ``gamo``, where it is not installed."""

from __future__ import annotations

import os
import sys

if not __package__:  # started as ``python PATH/gamo_tf``, from any folder
    sys.path[0] = os.path.dirname(sys.path[0])

from gamo_tf.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
