"""A version of the flagship suite fixes what is asked, and whoever changes that makes a new one."""

from __future__ import annotations

import hashlib
import json
import re

from places import REPOSITORY

from kobench.cli.suites import built_in, expanded
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.util.bounded import read_toml


def fixed() -> tuple[str, dict[str, object]]:
    """The suite's version, and all that it fixes."""
    path = built_in()["flagship"]
    suite = read_toml(path)
    registry = load_registry()
    texts = [*suite["dataset"], *expanded(path, suite.get("grid", []))]
    datasets = {text: choose(registry, "datasets", text).entry.spec.version for text in texts}
    tasks = {name: registry.find("tasks", name).spec for name in suite["task"]}
    metrics = {
        name: registry.find("metrics", name.partition("[")[0], of=task.of).spec.version
        for task in tasks.values()
        for name in task.primary
    }
    return suite["version"], {
        "datasets": datasets,
        "tasks": {name: [task.version, *task.primary] for name, task in tasks.items()},
        "metrics": metrics,
        "networks": suite["networks"],
    }


def digest(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def test_what_a_version_fixes_stays() -> None:
    version, content = fixed()
    page = (REPOSITORY / "docs" / "flagship.md").read_text()
    frozen = dict(re.findall(r"\| (kobench-\d+) \| [\d-]+ \| `(\w+)` \|", page))
    assert frozen.get(version) == digest(content), (
        f"the flagship suite asks something else than {version} did, {digest(content)}: give it a"
        " new version, add that to docs/flagship.md, draw a new secret seed and publish its board"
    )


def test_another_network_or_version_is_another_digest() -> None:
    _, content = fixed()
    assert digest({**content, "networks": 6}) != digest(content)
