"""Checks of how a data set is loaded: the same bytes each time, and nothing else touched.

Each is a function of the data set under test, as in `declared`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from kobench.checks.datasets.contents import content_of
from kobench.checks.datasets.tested import DatasetUnderTest
from kobench.checks.trusted import CHILD
from kobench.datasets.digest import digest
from kobench.worker.checks.result import NotApplicable, Wrong


def same_bytes_again(tested: DatasetUnderTest) -> str:
    """Loaded again it has the same content."""
    mine = content_of(tested.dataset)
    _same_content(tested, mine, content_of(tested.load()), "loaded again")
    return f"{', '.join(mine)}: the same"


def same_bytes_elsewhere(tested: DatasetUnderTest) -> str:
    """Loaded by another process, which hashes text in another order, it has the same content."""
    mine = content_of(tested.dataset)
    request = {
        "do": "content",
        "name": tested.chosen.selection,
        "distribution": tested.chosen.entry.distribution,
        "plugin_files": list(tested.plugin_files),
        "dataset_folders": list(tested.dataset_folders),
    }
    hash_seed = "8" if os.environ.get("PYTHONHASHSEED") == "7" else "7"
    done = subprocess.run(
        [sys.executable, "-P", "-m", CHILD, "1"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise Wrong(f"another process could not load it: {last}")
    other = json.loads(done.stdout.splitlines()[-1])
    _same_content(tested, mine, other, "loaded by another process")
    return f"digest {mine['cells'][:12]} of its cells in both"


def _same_content(
    tested: DatasetUnderTest, mine: Mapping[str, str], other: Mapping[str, str], when: str
) -> None:
    """Wrong where two digests of contents differ."""
    for name, value in mine.items():
        if other.get(name) != value:
            raise Wrong(
                f"{when}, its {name} are others; all randomness must come from a seed among its"
                " parameters"
            )
        tested.compared += 1


def other_seed_differs(tested: DatasetUnderTest) -> str:
    """Another seed gives other cells."""
    if not tested.chosen.entry.spec.seeded:
        raise NotApplicable("it is not seeded")
    if digest(tested.other.cells) == digest(tested.dataset.cells):
        raise Wrong(f"seeds {tested.seeds} give the same cells")
    tested.compared += 1
    return f"seeds {tested.seeds} give other cells"


def global_random_state(tested: DatasetUnderTest) -> str:
    """Loading leaves the global random states as they were."""
    assert tested.dataset
    changed = tested.loaded.states
    if changed:
        raise Wrong(
            f"loading changed the global state of {' and '.join(changed)}; use"
            " np.random.default_rng(seed)"
        )
    tested.compared += 1
    return "untouched"


def no_network_needed(tested: DatasetUnderTest) -> str:
    """It loads without asking the network for anything."""
    if tested.loaded.hosts:
        raise Wrong(
            f"loading asked for {tested.loaded.hosts[0]}; a data set reads files that are there,"
            " and says where they belong"
        )
    assert tested.dataset
    tested.compared += 1
    return "nothing was asked for"
