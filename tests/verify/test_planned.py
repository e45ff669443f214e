"""What a run was asked for and has no record of is named, the last network, split or fit too."""

from __future__ import annotations

import gzip
import json
import shutil

import pytest
from command import kobench
from places import REPOSITORY
from tiny import PLUGIN

from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.verify.consistent import check_consistent
from kobench.verify.known import Known

TINY = "grn:genes=12,cells=60"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A results folder of three networks, with two fits of its predictor."""
    folder = tmp_path_factory.mktemp("planned")
    asked = ("-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile", "--secret")
    kobench("run", *asked, "--networks", 3, "--fit-seeds", 2, "--out", folder)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "out")


def drop(folder, test):
    """Delete the records that a test is true of."""
    paths = [
        path
        for path in sorted((folder / "records").glob("*.json"))
        if test(json.loads(path.read_text())["trial"])
    ]
    assert paths
    for path in paths:
        path.unlink()


def number(trial):
    return trial["dataset"]["secret"]["index"]


def test_a_whole_plan_is_there(made):
    done = kobench("verify", made)
    assert "✗" not in done.stdout
    (one, *_) = read_records(made)
    assert one.run.planned is not None
    assert (one.run.planned.networks.first, one.run.planned.networks.count) == (0, 3)


def test_the_last_network_dropped_for_everybody_is_named(folder):
    drop(folder, lambda trial: number(trial) == 2)
    done = kobench("verify", folder, code=1)
    assert (
        "✗ grn:cells=60,genes=12: has networks 0 to 1, and the run was asked for 0 to 2: without a"
        " record is 2, so networks may have been chosen"
    ) in done.stdout
    done = kobench("board", folder, code=1)
    assert "without a record is 2" in done.stderr


def test_a_network_dropped_for_one_row_is_named(folder):
    drop(folder, lambda trial: number(trial) == 2 and trial["predictor"]["name"] == "good")
    done = kobench("verify", folder, code=1)
    assert (
        "✗ good on grn:cells=60,genes=12, holdout: has no record of network 2, split seed 0, fit"
        " seed 0, and 1 more, which its run was asked for"
    ) in done.stdout


def test_the_last_fit_dropped_is_named(folder):
    drop(folder, lambda trial: trial["fit_seed"] == 1)
    done = kobench("verify", folder, code=1)
    assert "has no record of network 0, split seed 0, fit seed 1, and 2 more" in done.stdout


def records_of(folder, change):
    """The records of a folder, each changed, and their seals taken off."""
    for path in (folder / "records").glob("*.json"):
        document = json.loads(path.read_text())
        del document["seal"]
        change(document)
        path.write_text(json.dumps(document))
    return list(read_records(folder))


@pytest.fixture(scope="module")
def known():
    return Known(load_registry())


def test_the_last_split_dropped_for_everybody_is_named(folder, known):
    """Real data have splits instead of networks."""

    def change(document):
        document["run"]["planned"]["splits"]["count"] = 2

    found = [str(one) for one in check_consistent(records_of(folder, change), known)]
    assert any("has no record of network 0, split seed 1" in one for one in found)


@pytest.mark.parametrize(
    ("planned", "said"),
    [
        ({"networks": {"first": 0, "count": 10**15}}, "asked for 1000000000000000 networks"),
        ({"networks": {"first": 1, "count": 2}}, "asked for 2 networks from 1 on, and it is"),
        ({"networks": None}, "asked for no networks, and it is number"),
        ({"splits": {"first": 0, "count": 0}}, "asked for 0 splits from 0 on, and it is number 0"),
        ({"fit_seeds": 0}, "asked for 0 fits from 0 on"),
    ],
)
def test_a_plan_that_its_record_is_not_part_of_is_named(folder, known, planned, said):
    records = records_of(folder, lambda document: document["run"]["planned"].update(planned))
    assert any(said in str(finding) for finding in check_consistent(records, known))


def test_records_without_a_plan_are_read(folder, known):
    """Those that were made before there was one."""
    records = records_of(folder, lambda document: document["run"].pop("planned"))
    assert {record.run.planned for record in records} == {None}
    assert check_consistent(records, known) == []


def test_the_last_network_of_a_published_suite_is_missed(tmp_path):
    """Its records may not say what was planned; the suite whose name the folder has does."""
    source, folder = REPOSITORY / "leaderboards" / "quick", tmp_path / "quick"
    folder.mkdir()
    for name in ("secret-seed.txt", "secret-seed.sha256"):
        shutil.copy(source / name, folder)
    with (
        gzip.open(source / "records.jsonl.gz", "rt") as every,
        gzip.open(folder / "records.jsonl.gz", "wt") as kept,
    ):
        for line in every:
            document = json.loads(line)
            document["run"].pop("planned", None)
            secret = document["trial"]["dataset"].get("secret")
            if secret is None or secret["index"] != 4:
                kept.write(f"{json.dumps(document)}\n")
    done = kobench("verify", folder, code=1)
    assert (
        "grn:absence=modules: has networks 0 to 3, and the suite of this name has 0 to 4: without"
        " a record is 4"
    ) in done.stdout
    assert "without a record is 4" in kobench("board", folder, code=1).stderr
