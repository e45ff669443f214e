"""Makes kobench_genki importable where it is not installed.

Its own code is then tested without the third-party library.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("kobench_genki") is None:
    sys.path.insert(0, str(Path(__file__).parent))
