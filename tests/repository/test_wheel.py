"""An installed kobench, away from the repository, has its cards, suites and page files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from places import REPOSITORY

SCRIPT = """
import json, kobench
from kobench.datasets.cards import builtin_folder, card_specs
from kobench.cli.suites import built_in
from importlib import resources
from kobench.datasets.distribution import SCRIPT as HOLDS_PIP
from kobench.datasets.recipes.names import RECIPES
from kobench.util.resolve import resolve_reference
files = resources.files("kobench")
html = resources.files("kobench.board.render.html")
print(json.dumps({
    "where": kobench.__file__,
    "cards": [spec.name for spec in card_specs()[0]],
    "folder": str(builtin_folder()),
    "suites": sorted(built_in()),
    "recipes": [resolve_reference(reference).__name__ for reference in RECIPES.values()],
    "holds pip": HOLDS_PIP.is_file(),
    "templates": sorted(path.name for path in (files / "templates" / "predictor").iterdir()),
    "page": [(html / name).is_file() for name in ("page.css", "page.js", "templates/page.html")],
    "audit": (files / "audit" / "templates" / "page.html").is_file(),
}))
"""


def test_a_wheel_has_all_that_kobench_needs(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    found = json.loads(run("-c", SCRIPT))
    assert Path(found["where"]).is_relative_to(site)
    assert Path(found["folder"]).is_relative_to(site)
    assert found["cards"] == sorted(path.stem for path in (REPOSITORY / "datasets").rglob("*.toml"))
    assert found["suites"] == sorted(
        path.stem for path in (REPOSITORY / "kobench" / "suites").glob("*.toml")
    )
    assert set(found["recipes"]) == {"make"}
    assert found["holds pip"]
    assert found["page"] == [True, True, True]
    assert found["audit"]
    assert found["templates"] == [
        "README.md.tmpl",
        "module.py.tmpl",
        "pyproject.toml.tmpl",
        "test_module.py.tmpl",
    ]
    listed = json.loads(
        run("-c", "from kobench.cli import main; main()", "list", "datasets", "--json")
    )
    assert {"grn", "pbmc68k", "trem2-microglia"} <= {entry["name"] for entry in listed["datasets"]}
