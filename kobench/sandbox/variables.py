"""The environment variables of a program in the sandbox: none of the user's."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from kobench.sandbox.places import Interpreter

#: The variables that a clean environment keeps. Some interpreters do not find their own libraries
#: without them.
KEPT_VARIABLES = ("LD_LIBRARY_PATH",)

#: Names of the variables by which numerical libraries are told how many threads to use.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

#: Variables that name the folder in which programs keep their own files.
FOLDER_VARIABLES = (
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
)

#: Variables that say which of the machine's GPUs are to be used.
CUDA_VARIABLES = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")


def variables(
    interpreter: Interpreter,
    scratch: Path,
    modules: Path,
    *,
    threads: int = 1,
    clean: bool = True,
    cuda: bool = False,
) -> dict[str, str]:
    """All environment variables of a program.

    Parameters
    ----------
    interpreter : Interpreter
        Whose program it is.
    scratch : Path
        The folder that is its home.
    modules : Path
        The folder from which it imports first.
    threads : int
        How many threads its numerical libraries may use.
    clean : bool
        Whether it gets none of the user's variables.
    cuda : bool
        Whether it may know which GPUs the user has chosen.
    """
    always = {
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "PYTHONHASHSEED": "0",
        # nothing in the folder where the program happens to start is imported
        "PYTHONSAFEPATH": "1",
        # a trial at the same time may lock a file that both read; nobody writes it meanwhile
        "HDF5_USE_FILE_LOCKING": "FALSE",
    }
    if not clean:
        search = [str(modules), os.environ.get("PYTHONPATH", "")]
        path = os.pathsep.join(part for part in search if part)
        return {**os.environ, **always, "PYTHONPATH": path}
    kept = [*KEPT_VARIABLES, *(CUDA_VARIABLES if cuda else ())]
    programs = (str(interpreter.python.parent), "/usr/local/bin", "/usr/bin", "/bin")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **always,
        **dict.fromkeys(FOLDER_VARIABLES, str(scratch)),
        **user_site(interpreter),
        "PATH": os.pathsep.join(programs),
        "PYTHONPATH": str(modules),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "USER": "predictor",
        "LOGNAME": "predictor",
    }


def user_site(interpreter: Interpreter) -> dict[str, str]:
    """The variable that says whether packages count that the user installed for themselves.

    They do for kobench's own interpreter where it uses them, and for no other.
    """
    used = (
        interpreter.environment is None
        and site.ENABLE_USER_SITE
        and site.getusersitepackages() in sys.path
    )
    return {"PYTHONUSERBASE": site.getuserbase()} if used else {"PYTHONNOUSERSITE": "1"}
