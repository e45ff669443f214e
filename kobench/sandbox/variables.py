"""The environment variables of a worker: none of the user's, and those that keep a predictor inside
its own folder and its threads few.
"""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from kobench.sandbox.places import Interpreter
from kobench.sandbox.start import KEPT_VARIABLES

#: Names of the variables by which numerical libraries are told how many threads to use.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

#: Variables that name the folder in which programs put what is theirs.
FOLDER_VARIABLES = (
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
)

#: Which GPUs there are for the user.
CUDA_VARIABLES = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")


def variables(
    interpreter: Interpreter, scratch: Path, modules: Path, threads: int, clean: bool, cuda: bool
) -> dict[str, str]:
    """All variables of a worker. scratch : its own folder. modules : the folder it imports from
    first. clean : nothing of the user's.
    """
    always = {
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": (
            "1"
        ),  # nothing in the folder where the worker happens to stand is imported
    }
    if not clean:
        search = [str(modules), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            **always,
            "PYTHONPATH": os.pathsep.join(part for part in search if part),
        }
    kept = [*KEPT_VARIABLES, *(CUDA_VARIABLES if cuda else ())]
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **always,
        **dict.fromkeys(FOLDER_VARIABLES, str(scratch)),
        **user_site(interpreter),
        "PATH": os.pathsep.join(
            (str(interpreter.python.parent), "/usr/local/bin", "/usr/bin", "/bin")
        ),
        "PYTHONPATH": str(modules),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "USER": "predictor",
        "LOGNAME": "predictor",
    }


def user_site(interpreter: Interpreter) -> dict[str, str]:
    """Packages that the user installed for themselves count for kobench's own interpreter, where it
    uses them.
    """
    used = (
        interpreter.environment is None
        and site.ENABLE_USER_SITE
        and site.getusersitepackages() in sys.path
    )
    return {"PYTHONUSERBASE": site.getuserbase()} if used else {"PYTHONNOUSERSITE": "1"}
