"""``python -m valuation.cli`` is ``valuation``."""

import sys

from valuation.cli.main import program

sys.exit(program())
