"""The pages of metrics, tasks and floors say what the code and the published records say; every
section has every part.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys

import pytest
from factories import metric, read, record, scores
from places import REPOSITORY

import kobench.builtin
from kobench.api import ANSWERS
from kobench.results.records import read_records

DOCS = REPOSITORY / "docs"
METRICS = list(kobench.builtin.plugin.kobench_metrics())
TASKS = list(kobench.builtin.plugin.kobench_tasks())
FLOORS = list(kobench.builtin.plugin.kobench_predictors())

OF_METRIC = ["Record", "Formula", "Range", "Blocks", "Accepts", "Source", "To game it"]
OF_TASK = [
    "Record",
    "Asked",
    "Accepts",
    "Unit",
    "Variants",
    "Lines",
    "Left out",
    "Source",
    "To game it",
]


def module():
    spec = importlib.util.spec_from_file_location("kobench_docs_generate", DOCS / "generate.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


generate = module()


def sections(page: str) -> dict[str, str]:
    """Heading of the third level -> its text."""
    parts = re.split(r"^### ", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert len({part.partition("\n")[0] for part in parts}) == len(parts)
    return {
        part.partition("\n")[0]: re.split(r"^## ", part.partition("\n")[2], flags=re.MULTILINE)[0]
        for part in parts
    }


def bullets(section: str) -> dict[str, str]:
    """Name of a bullet -> its text."""
    parts = re.split(r"^- \*\*(.+?)\.\*\* ", section, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


SECTIONS = {page: sections(page) for page in ("metrics.md", "tasks.md")}


def test_pages_are_what_the_generator_makes():
    pages = generate.generated()
    assert sorted(path.name for path in pages) == [
        "cards.schema.json",
        "datasets.md",
        "floors.md",
        "metrics.md",
        "records.md",
        "records.schema.json",
        "tasks.md",
    ]
    for path, text in pages.items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path.name} is out of date; run `python docs/generate.py`"
        )


def test_there_is_a_section_for_every_metric_and_no_other():
    assert sorted(SECTIONS["metrics.md"]) == sorted(f"{spec.name} ({spec.of})" for spec in METRICS)


def test_there_is_a_section_for_every_task():
    assert {task.label for task in TASKS} == {name for name in SECTIONS["tasks.md"] if "@" in name}


@pytest.mark.parametrize("spec", METRICS, ids=lambda spec: f"{spec.of}-{spec.name}")
def test_sections_of_metrics_have_every_part_and_agree_with_the_spec(spec):
    found = bullets(SECTIONS["metrics.md"][f"{spec.name} ({spec.of})"])
    assert list(found) == OF_METRIC
    assert f"{spec.direction} is better" in found["Range"]
    assert found["Range"].startswith(
        "No lower end" if spec.low == float("-inf") else f"{spec.low:g} "
    )
    if spec.high == float("inf"):
        assert "no upper end" in found["Range"]
    elif spec.high != spec.best:
        assert f" to {spec.high:g}" in found["Range"]
    assert spec.reference in found["Source"]
    assert "As " in found["Accepts"] or any(kind in found["Accepts"].lower() for kind in ANSWERS)
    for other in re.findall(r"\bAs ([a-z-]+(?:-[a-z]+)*)", "".join(found.values())):
        assert any(other == one.name or other in ("within-cell",) for one in METRICS), (
            f"no metric {other!r} to look up"
        )


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.label)
def test_sections_of_tasks_have_every_part_and_agree_with_the_spec(task):
    section = SECTIONS["tasks.md"][task.label]
    found = bullets(section)
    assert list(found) == OF_TASK
    for name in task.lines:
        assert f"`{name}`" in found["Lines"]
    for name in (*task.primary, *task.floors, *task.lines):
        assert f"`{name}`" in found["Record"]
    assert set(re.findall(r"`([a-z-]+)`", found["Lines"])) <= set(task.lines)
    for variant in re.findall(r"\[([a-z]+)\]", " ".join(task.primary)):
        assert f"`[{variant}]`" in found["Variants"] or found["Variants"].startswith("As ")


def test_every_floor_is_in_the_table_with_what_it_answers():
    table = (
        (DOCS / "tasks.md")
        .read_text(encoding="utf-8")
        .partition("\n## The floors\n")[2]
        .partition("\n## ")[0]
    )
    rows = {}
    for line in table.splitlines():
        if line.startswith("| `"):
            names, answers, what = (cell.strip() for cell in line.strip("|").split("|"))
            rows |= {name: answers for name in re.findall(r"`([a-z0-9-]+)`", names)}
            assert len(what) > 10
    assert rows == {spec.name: ", ".join(spec.answers) for spec in FLOORS}
    assert {name for task in TASKS for name in task.floors} == set(rows)


def anchors(page: str) -> set[str]:
    return {
        generate.anchor(line.lstrip("# ")) for line in page.splitlines() if line.startswith("#")
    }


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    page = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", page):
        if "://" in target:
            continue
        file, _, place = target.partition("#")
        there = path if not file else path.parent / file
        assert there.exists(), f"{path.name} links to {file}, which is not there"
        assert not place or place in anchors(there.read_text(encoding="utf-8")), (
            f"{path.name}: {target} leads to no heading"
        )


# ------------------------------------------------------------------ the generator


def floor(name, value, seed, dataset="grn", **more):
    return record(
        name,
        scores(
            {"spearman": value, "mae[raw]": metric(0.25, direction="lower", best=0.0)},
            "keystone@1",
            **more,
        ),
        role="floor",
        dataset=dataset,
        seed=seed,
    )


def rows_of(page: str, label: str) -> list[str]:
    section = page.partition(f"\n## {label}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith(("|", "**", "No "))]


def test_a_table_by_hand():
    records = [
        floor("own-share", 0.2, 0),
        floor("own-share", 0.4, 1),
        floor("abundance", 0.5, 0),
        floor("abundance", 0.7, 1),
        floor("random", metric(None, missing="none"), 0),
        record(
            "truth", scores({"spearman": 1.0}, "keystone@1"), role="line", dataset="grn", seed=0
        ),
        record("mlp", scores({"spearman": 0.9}, "keystone@1"), dataset="grn", seed=0),  # no floor
    ]
    page = generate.floors_page({"mine": read(records)})
    assert rows_of(page, "keystone@1") == [
        "**mine: `grn`**, 2 records a floor.",
        "| | own-share | abundance | random | *truth* |",
        "|---|---|---|---|---|",
        "| spearman | 0.300 | **0.600** | none | 1.000 |",
        r"| mae\[raw] | 0.250 | 0.250 | 0.250 | – |",
    ]
    assert rows_of(page, "transfer@2") == ["No published board has this task."]
    assert generate.floors_page({"mine": read(records[::-1])}) == page


def test_boards_of_an_earlier_version_keep_their_tables():
    (task,) = [task for task in generate.TASKS if task.name == "profile"]
    assert task.version > 1
    old = record("own-share", scores({"bray-curtis": 0.2}, "profile@1"), role="floor")
    page = generate.floors_page({"mine": read([old])})
    assert rows_of(page, task.label) == ["No published board has this task."]
    assert rows_of(page, "profile@1")[-1] == "| bray-curtis | 0.200 |"
    assert f"The task is {task.label} now; these boards were run before." in page
    assert page.index(f"## {task.label}") < page.index("## profile@1")


def test_many_datasets_make_one_table():
    records = [
        floor("own-share", value, 0, f"grn:genes={i}")
        for i, value in enumerate((0.1, 0.2, 0.3, 0.6))
    ]
    lower = [
        floor("own-share", metric(0.5, direction="lower", best=0.0), 0),
        floor("abundance", metric(0.25, direction="lower", best=0.0), 0),
    ]
    assert rows_of(generate.floors_page({"mine": read(records)}), "keystone@1")[::3] == [
        "**mine: 4 datasets**, 1 record a floor and dataset.",
        "| spearman | **0.300** [0.100, 0.600] |",
    ]
    assert (
        len(rows_of(generate.floors_page({"mine": read(records[:3])}), "keystone@1")) == 3 * 5
    )  # one table a dataset
    assert (
        rows_of(generate.floors_page({"mine": read(lower)}), "keystone@1")[3]
        == "| spearman | 0.500 | **0.250** |"
    )


def test_a_split_that_is_not_the_usual_one_is_named():
    odd = record(dataset="pbmc", seed=None, kind="real", split=("cell-type", 0))
    odd, usual = read([odd, record(dataset="pbmc", seed=None, kind="real")])
    assert generate.dataset_of(odd.trial) == "pbmc split cell-type"
    assert generate.dataset_of(usual.trial) == "pbmc"


def test_records_are_put_under_their_headings():
    page = (
        "# Page\n\n### a (x)\n\n- **Formula.** 1.\n\n### b (x)\n\nText.\n\n- **Record.** old \\1\n-"
        " **Formula.** 2.\n"
    )
    made = generate.with_records(page, {"a (x)": "new \\1", "b (x)": "newer"})
    assert made == page.replace(
        "- **Formula.** 1.", "- **Record.** new \\1\n- **Formula.** 1."
    ).replace("old \\1", "newer")
    assert generate.with_records(made, {"a (x)": "new \\1", "b (x)": "newer"}) == made
    with pytest.raises(ValueError, match=r"0 sections 'c \(x\)'; write one"):
        generate.with_records(page, {"c (x)": "new"})


def test_every_published_board_is_on_the_page():
    page = (DOCS / "floors.md").read_text(encoding="utf-8")
    boards = generate.board_folders()
    assert boards
    for folder in boards:
        assert f"**{folder.name}: " in page
        labels = {
            label
            for one in read_records(folder)
            if one.role == "floor"
            for label in one.result.scores
        }
        assert labels
        for label in labels:
            assert (
                f"**{folder.name}: " in page.partition(f"\n## {label}\n")[2].partition("\n## ")[0]
            )


def test_the_check_says_which_pages_are_out_of_date(tmp_path, monkeypatch, capsys):
    old = tmp_path / "docs" / "floors.md"
    old.parent.mkdir()
    monkeypatch.setattr(generate, "DOCS", old.parent)
    monkeypatch.setattr(generate, "generated", lambda: {old: "new"})
    assert generate.main(["--check"]) == 1
    assert not old.exists()
    assert capsys.readouterr().out == "docs/floors.md is out of date\n"
    assert generate.main([]) == 0
    assert old.read_text() == "new"
    assert generate.main(["--check"]) == 0


def test_the_table_of_the_challenge_is_that_of_its_stored_scores():
    studies = DOCS.parent / "tests" / "studies"
    spec = importlib.util.spec_from_file_location("table", studies / "challenge_table.py")
    study = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = study  # for its dataclass
    spec.loader.exec_module(study)
    rows = json.loads((studies / "challenge_scores.json").read_text(encoding="utf-8"))
    page = (DOCS / "vcc.md").read_text(encoding="utf-8")
    assert "\n".join(study.table(rows)) in page
    assert {len(each) for each in rows.values()} == {len(study.CONTEXTS)}
