"""The program `kobench` imports nothing that lies beside it, where any wheel may have put a module.

Python looks for modules in the folder of the program that it starts before all other places.
Importing this module takes that folder off the path, for all that is imported later.
"""

from __future__ import annotations

import os
import sys

#: The program that Python started.
PROGRAM = os.path.realpath(sys.argv[0])

if os.path.basename(PROGRAM) == "kobench" and sys.path[:1] == [os.path.dirname(PROGRAM)]:
    del sys.path[0]
