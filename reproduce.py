"""Starts `reproduction.reproduce`, as ``gamo reproduce`` does in a checkout."""

from __future__ import annotations

import sys

from reproduction.reproduce import main

if __name__ == "__main__":
    sys.exit(main())
