"""The short-lived child that imports one distribution's plugins and writes down what they offer.

Started as `python -m kobench.worker.describe.child FD REQUEST` with a request ``{"points": [[index,
name, value], ...], "file": path or null}``. It writes one JSON object a line to the pipe FD. Each
says what comes next ("at"), or is one spec, or one problem, or says that all is done; so what was
found before a crash is kept.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint

from kobench.util.plugin_files import load_file
from kobench.worker.describe.hooks import usable_hooks
from kobench.worker.describe.messages import Message, problem, what_happened
from kobench.worker.describe.offers import run_hook


def describe(points: Iterable[tuple[int, str, str]], file: str | None) -> Iterator[Message]:
    """Messages about every entry point, or about one plugin file.

    Parameters
    ----------
    points : iterable of (int, str, str)
        Index, name and value ("module" or "module:object") of each entry point.
    file : str or None
        The single plugin file; there is one point then, which stands for it.

    Yields
    ------
    dict
        ``{"at": index, "doing": words}``, ``{"spec": ...}`` and ``{"problem": ...}``, in the order
        in which things happen, and ``{"done": True}`` at the end.
    """
    for index, name, value in points:
        yield {"at": index, "doing": f"importing {value}"}
        try:
            plugin = load_file(file) if file else EntryPoint(name, value, "kobench").load()
        except BaseException as error:
            kind = "exit" if isinstance(error, SystemExit) else "import"
            yield problem(kind, f"importing {value} {what_happened(error)}", error)
            continue
        try:
            hooks, sentences = usable_hooks(plugin, value)
        except Exception as error:
            yield problem("hook", f"reading the hooks of {value} {what_happened(error)}", error)
            continue
        yield from (problem("hook", sentence) for sentence in sentences)
        for hook, function in hooks.items():
            yield {"at": index, "doing": f"running {hook} of {value}"}
            yield from run_hook(hook, function, value, plugin if file else None)
    yield {"done": True}


def main() -> None:
    """Describe what the request names, and end without waiting for what the plugin left behind.

    A plugin may have left threads or exit handlers.
    """
    pipe, request = int(sys.argv[1]), json.loads(sys.argv[2])
    os.set_inheritable(pipe, False)
    sys.argv = ["kobench"]
    with os.fdopen(pipe, "w", encoding="utf-8", buffering=1) as out:
        for message in describe([tuple(point) for point in request["points"]], request["file"]):
            out.write(json.dumps(message) + "\n")
    os._exit(0)


if __name__ == "__main__":
    main()
