"""``python -m gamo_tf.compare``: what ``gamo compare`` does, from a checkout."""

from __future__ import annotations

import sys

from gamo_tf.comparison.program import main

if __name__ == "__main__":
    sys.exit(main())
