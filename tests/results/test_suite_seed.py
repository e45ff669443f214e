"""The secret seed of a suite: what follows from it by hand, its commitment, and its two files."""

from __future__ import annotations

import hashlib
import os
import subprocess

import pytest
from factories import read, record

from kobench.errors import UserError
from kobench.results.parts import DatasetInfo, SecretSeed
from kobench.results.revealed import unfounded, with_seeds
from kobench.results.suite_seed import COMMITMENT, SEED, SuiteSeed, find_seed, keep_seed

KNOWN = SuiteSeed("000102030405060708090a0b0c0d0e0f")

#: `printf %s MESSAGE | openssl dgst -sha256 -mac HMAC -macopt hexkey:00...0f`, the first half.
BY_OPENSSL = {
    ("network", "grn", 0): 0x60AE95CF428FB771F7EF2EA555CE719F,
    ("network", "planted", 7): 0xB90ECEBD3D63FCC16235920101A5A127,
    ("questions", "grn", 0): 0x286A2D2C5949A68551F7378AE1DF8A99,
}


@pytest.mark.parametrize(("purpose", "dataset", "index"), BY_OPENSSL)
def test_seeds_that_follow_are_those_of_openssl(purpose, dataset, index):
    assert getattr(KNOWN, purpose)(dataset, "1", index) == BY_OPENSSL[purpose, dataset, index]


def test_a_seed_by_the_formula_of_hmac():
    key, message = bytes(range(16)).ljust(64, b"\0"), b"network/grn/1/0"
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()
    assert KNOWN.network("grn", "1", 0) == int.from_bytes(outer[:16], "big")


def test_another_kobench_derives_the_same():
    assert KNOWN.network("grn", "0.1.0/1", 0) == KNOWN.network("grn", "9.9/1", 0)
    assert KNOWN.network("grn", "0.1.0/1", 0) == BY_OPENSSL["network", "grn", 0]


def test_every_part_of_the_message_counts():
    of = [("grn", "1", 0), ("grn", "1", 1), ("grn", "2", 0), ("planted", "1", 0)]
    seeds = {make(*one) for one in of for make in (KNOWN.network, KNOWN.questions)}
    assert len(seeds) == 8
    assert KNOWN.network("grn", "1", 0) != SuiteSeed("f" * 32).network("grn", "1", 0)


def test_a_drawn_seed_is_new_and_is_shown_nowhere():
    drawn = [SuiteSeed.draw() for _ in range(3)]
    assert len({one.digits for one in drawn}) == 3
    assert all(SuiteSeed.parse(one.digits) == one for one in drawn)
    assert drawn[0].digits not in repr(drawn[0])


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "g" * 32])
def test_what_is_no_seed_is_refused(text):
    with pytest.raises(UserError, match="expected 32 hexadecimal digits"):
        SuiteSeed.parse(text)


def test_the_files_are_checked_by_sha256sum_and_the_seed_is_the_owners(tmp_path):
    assert find_seed(tmp_path) is None
    keep_seed(tmp_path, KNOWN)
    assert (tmp_path / SEED).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [COMMITMENT, SEED]
    subprocess.run(["sha256sum", "-c", COMMITMENT], cwd=tmp_path, check=True, capture_output=True)
    assert find_seed(tmp_path) == KNOWN
    assert KNOWN.commitment == "d65df89f702eec58ca3c7bf2001c9ffc7cd80553ae01d42a799ba26756142d96"


def test_a_seed_without_commitment_is_a_run_that_was_stopped_at_once(tmp_path):
    keep_seed(tmp_path, KNOWN)
    (tmp_path / COMMITMENT).unlink()
    assert find_seed(tmp_path) == KNOWN


def test_other_files_are_named(tmp_path):
    keep_seed(tmp_path, KNOWN)
    (tmp_path / SEED).write_text("f" * 32)
    with pytest.raises(UserError, match="is not the seed that was committed to"):
        find_seed(tmp_path)
    (tmp_path / SEED).write_text("no seed")
    with pytest.raises(UserError, match="can't be used"):
        find_seed(tmp_path)
    (tmp_path / SEED).unlink()
    with pytest.raises(UserError, match="is gone"):
        find_seed(tmp_path)


def secret_record(**more):
    document = record("mlp", 0.5, seed=None, dataset="grn")
    secret = {"commitment": KNOWN.commitment, "index": 0, **more}
    dataset = {**document["trial"]["dataset"], "selection": "grn:seed=secret-0", "secret": secret}
    document["trial"]["dataset"] = dataset
    return read([document])[0]


def test_revealed_records_are_checked_row_by_row():
    (revealed,) = with_seeds([secret_record()], KNOWN)
    assert revealed.trial.dataset.secret.seed == f"0x{BY_OPENSSL['network', 'grn', 0]:032x}"
    assert revealed.to_json()["trial"]["dataset"]["secret"]["seed"].startswith("0x60ae")
    assert unfounded([secret_record(), revealed], KNOWN) == []
    public = read([record("mlp", 0.5)])
    assert with_seeds(public, KNOWN) == public
    assert unfounded(public, KNOWN) == []
    (wrong,) = unfounded([revealed, secret_record(seed="0x" + "0" * 32)], KNOWN)
    assert wrong.startswith("mlp on grn:seed=secret-0: its network has the seed 0x000")
    (wrong,) = unfounded([secret_record(commitment="0" * 64)], KNOWN)
    assert wrong.startswith("mlp on grn:seed=secret-0: its commitment is sha256=000")


def test_records_without_a_secret_are_written_as_ever():
    info = DatasetInfo(
        name="grn", selection="grn", version=1, group="grn", seed=0, kind="", truth="", digest="",
        notes=(),
    )  # fmt: skip
    assert "secret" not in info.to_json()
    part = SecretSeed(commitment="0", index=1)
    assert part.to_json() == {"commitment": "0", "index": 1}


@pytest.mark.parametrize("name", [SEED, COMMITMENT])
@pytest.mark.parametrize("put", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_what_could_be_read_without_end_is_no_seed(name, put, tmp_path):
    """Whoever publishes a folder decides what lies in it."""
    keep_seed(tmp_path, KNOWN)
    (tmp_path / name).unlink()
    put(tmp_path / name)
    with pytest.raises(UserError, match=f"{name} can't be (read|used).*is (no file|a folder)"):
        find_seed(tmp_path)


def test_a_large_file_is_no_seed(tmp_path):
    (tmp_path / SEED).write_text(" " * 2000 + KNOWN.digits)
    with pytest.raises(UserError, match="holds more than 1,024 bytes"):
        find_seed(tmp_path)


def test_a_seed_may_be_given_in_capitals_and_with_blanks_around_it():
    assert SuiteSeed.parse("\n " + "AbCdEf01" * 4 + " \n") == SuiteSeed("abcdef01" * 4)
    with pytest.raises(UserError, match="a secret seed of 31 characters was given"):
        SuiteSeed.parse(" " + "0" * 31 + " ")
