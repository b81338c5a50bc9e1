"""``python -m gamo_tf``: the program ``gamo``, where it is not installed."""

from __future__ import annotations

import sys

from gamo_tf.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
