"""What the `.pth` files in folders of packages have an interpreter do when it starts."""

from __future__ import annotations

import os
from pathlib import Path

from kobench.environments.inside import BESIDE
from kobench.plugins.installed_here import EXECUTED, lines_of, named_in
from kobench.plugins.looked_for import may_bring
from kobench.plugins.sources import OWN

#: Modules that an interpreter imports when it starts, wherever on its path they lie.
AT_START = ("sitecustomize", "usercustomize")

#: The line of setuptools, which brings it to every interpreter that has it.
OF_SETUPTOOLS = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') =="
    " 'local'; enabled and __import__('_distutils_hack').add_shim();"
)

#: The folder of the kobench that runs.
HERE = Path(__file__).parents[1]


def code_in(file: Path) -> list[str]:
    """The lines of a `.pth` file that are executed."""
    return [line.strip() for line in lines_of(file) if line.startswith(EXECUTED)]


def links_unasked(file: Path, key: str) -> bool:
    """Whether a `.pth` file puts modules on the path that are imported unasked.

    Python takes modules out of a zip file there, whatever that is called, and no list of files has
    them; nor need it have what lies in a folder.

    Parameters
    ----------
    file : Path
        The file.
    key : str
        The normalised name of the distribution whose it is, "" for nobody's.
    """
    for place in named_in(file):
        if "\ufffd" in place or (os.path.lexists(place) and not os.path.isdir(place)):
            return True
        if os.path.isdir(place):
            try:
                names = os.listdir(place)
            except OSError:
                return True  # whatever is in it, Python may find it by name
            tops = {name.split(".")[0] for name in names if name not in BESIDE}
            if os.path.realpath(os.path.join(place, OWN)) == os.path.realpath(HERE):
                tops.discard(OWN)  # sources of kobench that somebody works on
            if any(top in (*AT_START, OWN) or not may_bring(key, top) for top in tops):
                return True
    return False
