"""`--secret` from the command line: the commitment, the published folder, and its checks."""

from __future__ import annotations

import gzip
import json

import pytest
from command import kobench
from tiny import PLUGIN, TINY

from kobench.cli.suites import built_in, published_as_secret
from kobench.results.suite_seed import COMMITMENT, SEED, SuiteSeed

KNOWN = SuiteSeed("000102030405060708090a0b0c0d0e0f")
ASKED = ("-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile")


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A published folder of a run on a secret seed."""
    folder = tmp_path_factory.mktemp("secret")
    done = kobench("run", *ASKED, "--networks", 2, "--secret-seed", KNOWN.digits, "--out", folder)
    assert KNOWN.commitment in done.stderr
    assert KNOWN.digits not in done.stdout + done.stderr
    assert (folder / SEED).read_text() == KNOWN.digits
    done = kobench("board", folder, "--pack", folder / "packed")
    assert "is revealed in" in done.stdout
    return folder / "packed"


def test_secret_draws_a_seed_and_goes_on_with_it(tmp_path):
    out = tmp_path / "out"
    first = kobench("run", *ASKED, "--secret", "--out", out)
    commitment = (out / COMMITMENT).read_text().split()[0]
    assert commitment in first.stderr
    assert f"sha256={commitment}" in " ".join(first.stderr.split())
    again = kobench("run", *ASKED, "--secret", "--out", out)
    assert "everything is up to date" in again.stderr
    assert (out / COMMITMENT).read_text().split()[0] == commitment
    without = kobench("run", *ASKED, "--out", out, code=2)
    assert "add --secret to go on with it" in without.stderr
    other = kobench("run", *ASKED, "--secret-seed", KNOWN.digits, "--out", out, code=2)
    assert "come from another secret seed" in other.stderr
    public = tmp_path / "public"
    kobench("run", *ASKED, "--out", public)
    mixed = kobench("run", *ASKED, "--secret", "--out", public, code=2)
    assert "can't be compared" in mixed.stderr
    wrong = kobench("run", *ASKED, "--secret-seed", "123", "--out", public, code=2)
    assert "expected 32 hexadecimal digits" in wrong.stderr


def test_a_published_folder_reveals_the_seed_and_is_checked(packed):
    assert (packed / SEED).read_text() == KNOWN.digits
    assert (packed / SEED).stat().st_mode & 0o044
    assert KNOWN.commitment in (packed / "board.md").read_text()
    lines = gzip.decompress((packed / "records.jsonl.gz").read_bytes()).splitlines()
    seeds = {json.loads(line)["trial"]["dataset"]["secret"]["seed"] for line in lines}
    expected = {f"0x{KNOWN.network('grn', '1', index):032x}" for index in (0, 1)}
    assert seeds == expected
    for words in (["--check-seeds"], ["--check", packed / "board.csv", "--no-cost"]):
        done = kobench("board", packed, *words, code=None)
        assert "the seeds of its networks (2) follow from it" in done.stdout
        again = "simulated again, have the cells of their records: 2 of 2." in done.stdout
        assert again == (words == ["--check-seeds"])
    rebuilt = packed / "again"
    kobench("board", packed, "--pack", rebuilt)
    again = rebuilt / "records.jsonl.gz"
    assert again.read_bytes() == (packed / "records.jsonl.gz").read_bytes()


def test_a_mismatch_names_the_row(packed, tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    text = gzip.decompress((packed / "records.jsonl.gz").read_bytes()).decode()
    seed = f"0x{KNOWN.network('grn', '1', 1):032x}"
    records = gzip.compress(text.replace(seed, "0x" + "0" * 32, 1).encode())
    (folder / "records.jsonl.gz").write_bytes(records)
    missing = kobench("board", folder, "--check-seeds", code=2)
    assert f"{SEED} is not there" in missing.stderr
    for name in (SEED, COMMITMENT):
        (folder / name).write_bytes((packed / name).read_bytes())
    done = kobench("board", folder, "--check-seeds", code=1)
    assert " on grn:cells=40,genes=12,seed=secret-1: its network has the seed 0x000" in done.stderr
    digest = json.loads(text.splitlines()[0])["trial"]["dataset"]["digest"]
    records = gzip.compress(text.replace(digest, "0" * 64).encode())
    (folder / "records.jsonl.gz").write_bytes(records)
    done = kobench("board", folder, "--check-seeds", code=1)
    assert f"its cells have the sha256 {'0' * 64}, those that follow" in done.stderr
    assert "simulated again, have the cells of their records: 1 of 2." in done.stdout
    version = json.loads(text.splitlines()[0])["trial"]["dataset"]["version"]
    older = version.rpartition("/")[0] + "/0"
    records = gzip.compress(
        text.replace(version, older).replace('"seed":"0x', '"was":"0x').encode()
    )
    (folder / "records.jsonl.gz").write_bytes(records)
    done = kobench("board", folder, "--check-seeds", code=1)  # the version is in the keys, too
    assert "Not simulated again: grn:cells=40,genes=12,seed=secret-0" in done.stderr
    (folder / SEED).write_text("f" * 32)
    done = kobench("board", folder, "--check-seeds", code=2)
    assert "is not the seed that was committed to" in done.stderr


def test_networks_that_were_chosen_are_said_in_the_first_lines_and_fail_the_check(packed, tmp_path):
    """One commitment stands for any number of networks: lucky ones could be all that is shown."""
    text = gzip.decompress((packed / "records.jsonl.gz").read_bytes()).decode()
    kept = [line for line in text.splitlines() if "seed=secret-1" in line]
    (tmp_path / "records.jsonl.gz").write_bytes(gzip.compress("\n".join(kept).encode()))
    for name in (SEED, COMMITMENT):
        (tmp_path / name).write_bytes((packed / name).read_bytes())
    sentence = "Networks may have been chosen: of grn:cells=40,genes=12 it has number 1 of its"
    assert sentence in " ".join(kobench("board", tmp_path, code=1).stdout.split())
    done = kobench("board", tmp_path, "--check-seeds", code=1)
    assert f"{sentence} secret seed, and not the first (0)." in done.stderr
    assert "Networks may" not in kobench("board", packed, "--check-seeds").stderr


def test_public_boards_say_so_and_are_not_mixed_with_others(packed, tmp_path):
    kobench("run", *ASKED, "--networks", 3, "--out", tmp_path)
    said = " ".join(kobench("board", tmp_path).stdout.split())
    assert "Its network seeds are public (0 to 2): anyone can compute the truth." in said
    assert "No seed in" in kobench("board", tmp_path, "--check-seeds").stdout
    (tmp_path / "records.jsonl.gz").write_bytes((packed / "records.jsonl.gz").read_bytes())
    mixed = kobench("board", tmp_path, code=2)
    assert f"sha256={KNOWN.commitment} and public seeds" in mixed.stderr


def test_suites_say_how_their_boards_are_published(tmp_path):
    secret = {name for name in built_in() if published_as_secret(name)}
    simulated = {"quick", "grn", "double", "planted", "scale", "transfer", "paper-grn"}
    assert secret == {*simulated, "flagship"}
    suite = tmp_path / "mine.toml"
    content = f'dataset = "{TINY}"\ntask = "profile"\npredictor = "good"\nplugin = "{PLUGIN}"\n'
    suite.write_text(f"published-secret = true\n{content}")
    done = kobench("run", suite, "--out", tmp_path / "public")
    assert "Note: network seeds are public in this run" in done.stderr
    done = kobench("run", suite, "--secret", "--out", tmp_path / "secret")
    assert "Note:" not in done.stderr
    suite.write_text(f"secret = true\n{content}")
    kobench("run", suite, "--out", tmp_path / "flag")
    assert (tmp_path / "flag" / COMMITMENT).exists()
    suite.write_text("published-secret = 1")
    done = kobench("run", suite, code=2)
    assert "published-secret = 1; expected true or false" in done.stderr
    assert "seeds that nobody can guess" in kobench("info", "grn:grn", code=None).stderr + (
        kobench("info", "kobench/grn").stdout
    )
