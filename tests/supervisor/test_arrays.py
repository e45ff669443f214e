"""Answers of an untrusted process are read with care.

Whatever lies in the place of NAME.npy, it is an answer, no answer, or invalid.
"""

from __future__ import annotations

import io
import os
import socket
import threading

import numpy as np
import pytest

from kobench.errors import TrialFailed
from kobench.question import Profiles
from kobench.supervisor import arrays as received
from kobench.supervisor.arrays import ANY, Expected, receive
from kobench.supervisor.guard import expected_arrays
from kobench.supervisor.process import WorkerProcess

ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)
WANTED = {"rows": Expected((3, 4))}


def npy(values, **more):
    file = io.BytesIO()
    np.lib.format.write_array(file, values, **{"allow_pickle": False, **more})
    return file.getvalue()


def header(text, version=(1, 0)):
    """A .npy file's beginning with any header text, padded as numpy does."""
    length = (2 if version == (1, 0) else 4, "little")
    text = text.encode() + b"\n"
    return b"\x93NUMPY" + bytes(version) + len(text).to_bytes(*length) + text


def told(shape, descr="'<f4'", order="False", version=(1, 0)):
    return header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}", version)


def put(folder, content, name="rows"):
    (folder / f"{name}.npy").write_bytes(content)


@pytest.mark.parametrize(
    "values",
    [
        ROWS,
        ROWS.astype(np.float64),
        np.asfortranarray(ROWS),
        np.full((3, 4), np.nan, np.float32),
        -ROWS,
    ],
    ids=["float32", "float64", "columns first", "not finite", "negative"],
)
def test_numbers_come_as_they_were_written(tmp_path, values):
    np.save(tmp_path / "rows.npy", values)
    found = receive(tmp_path, "profile", WANTED)["rows"]
    assert found.dtype == values.dtype
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(found, np.load(tmp_path / "rows.npy"))


@pytest.mark.parametrize("shape", [(0,), (0, 4), (5,), (1, 1)])
def test_every_shape_that_is_expected_is_read(tmp_path, shape):
    values = np.random.default_rng(0).random(shape)
    for order in "CF":
        np.save(tmp_path / "rows.npy", np.asarray(values, order=order))
        np.testing.assert_array_equal(
            receive(tmp_path, "profile", {"rows": Expected(shape)})["rows"], values
        )


def test_booleans_and_the_newer_header_are_read(tmp_path):
    flags = np.array([True, False, True])
    put(tmp_path, npy(flags, version=(2, 0)), "supported")
    np.testing.assert_array_equal(
        receive(tmp_path, "fit", {"supported": Expected((3,), boolean=True)})["supported"], flags
    )
    found = receive(tmp_path, "fit", {"supported": ANY, "rows": ANY})
    assert (found["supported"].dtype, found["rows"]) == (bool, None)


def test_what_is_not_there_is_not_answered(tmp_path):
    assert receive(tmp_path, "profile", WANTED) == {"rows": None}
    assert receive(tmp_path / "nowhere", "profile", WANTED) == {"rows": None}


HUGE = 10**15

CONTENTS = {
    "nothing": (b"", "no .npy file"),
    "rubbish": (os.urandom(3000), "no .npy file"),
    "text": (b"1 2 3\n", "no .npy file"),
    "a zip": (b"PK\x03\x04" + bytes(100), "no .npy file"),
    "an unknown version": (
        told("(3, 4)", version=(1, 0)).replace(b"NUMPY\x01", b"NUMPY\x07") + ROWS.tobytes(),
        "expected 1.0 or 2.0",
    ),
    "a header that ends early": (npy(ROWS)[:20], "no .npy file"),
    "a header of 60,000 bytes": (header("{" + " " * 60_000), "no .npy file"),
    "a header that is no dictionary": (header("__import__('os').system('true')"), "no .npy file"),
    "a header nested without end": (header("(" * 5000), "no .npy file"),
    "a header with zero bytes": (header("\0" * 50), "no .npy file"),
    "a header without a shape": (
        header("{'descr': '<f4', 'fortran_order': False}"),
        "no .npy file",
    ),
    "a header whose shape is no shape": (told("'x'"), "no .npy file"),
    "a header whose order is a number": (
        told("(3, 4)", order="7") + ROWS.tobytes(),
        "no .npy file",
    ),
    "a type that is none": (told("(3, 4)", descr="'banana'"), "no .npy file"),
    "a type of a list of nothing": (told("(3, 4)", descr="[]"), "expected floats of shape (3, 4)"),
    "more than there can be": (
        told(f"({HUGE},)") + bytes(100),
        f"shape ({HUGE},); expected floats of shape (3, 4)",
    ),
    "a length below zero": (told("(-3, -4)") + ROWS.tobytes(), "expected floats of shape (3, 4)"),
    "a length that is true": (told("(True, 4)") + bytes(16), "expected floats of shape (3, 4)"),
    "objects": (npy(ROWS.astype(object), allow_pickle=True), "expected floats of shape (3, 4)"),
    "the other byte order": (npy(ROWS.astype(">f4")), "expected floats of shape (3, 4)"),
    "half precision": (npy(ROWS.astype(np.float16)), "came as float16"),
    "long doubles": (npy(ROWS.astype(np.longdouble)), "expected floats of shape (3, 4)"),
    "whole numbers": (npy(ROWS.astype(np.int64)), "came as int64"),
    "booleans": (npy(ROWS.astype(bool)), "came as bool"),
    "complex": (npy(ROWS.astype(complex)), "came as complex128"),
    "texts": (npy(ROWS.astype(str)), "expected floats of shape (3, 4)"),
    "fields": (
        npy(np.zeros((3, 4), [("a", "<f4"), ("b", "<f4")])),
        "expected floats of shape (3, 4)",
    ),
    "no dimension": (npy(np.float32(3.0)), "of shape ()"),
    "one dimension less": (npy(ROWS.ravel()), "of shape (12,)"),
    "another shape": (npy(ROWS.T.copy()), "of shape (4, 3)"),
    "too few numbers": (npy(ROWS)[:-4], "it holds 44 bytes of numbers; expected 48"),
    "too many numbers": (npy(ROWS) + b"x", "it holds 49 bytes of numbers; expected 48"),
}


@pytest.mark.parametrize("what", CONTENTS)
def test_a_file_that_holds_something_else_is_invalid(tmp_path, what):
    content, said = CONTENTS[what]
    put(tmp_path, content)
    with pytest.raises(TrialFailed) as ended:
        receive(tmp_path, "profile", WANTED)
    assert (ended.value.status, ended.value.stage) == ("invalid", "profile")
    assert said in ended.value.message, ended.value.message
    assert len(ended.value.message) < 500
    assert str(tmp_path) not in ended.value.message


def test_bytes_that_are_no_booleans_are_invalid(tmp_path):
    put(
        tmp_path,
        npy(np.array([True, True, False])).replace(b"\x01\x01\x00", b"\x01\x02\x00"),
        "supported",
    )
    with pytest.raises(TrialFailed, match="neither 0 nor 1"):
        receive(tmp_path, "fit", {"supported": Expected((3,), boolean=True)})


def a_link(folder, target):
    os.symlink(target, folder / "rows.npy")


def a_socket(folder, target):
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path may be short only
        try:
            server.bind("rows.npy")
        finally:
            os.chdir(here)


PLACES = {
    "a link to an answer elsewhere": a_link,
    "a link to nothing": lambda folder, target: os.symlink(folder / "nothing", folder / "rows.npy"),
    "a link to itself": lambda folder, target: os.symlink("rows.npy", folder / "rows.npy"),
    "a link to a device without end": lambda folder, target: os.symlink(
        "/dev/zero", folder / "rows.npy"
    ),
    "a pipe that nobody writes to": lambda folder, target: os.mkfifo(folder / "rows.npy"),
    "a folder": lambda folder, target: (folder / "rows.npy").mkdir(),
    "a socket": a_socket,
}


@pytest.mark.parametrize("what", PLACES)
def test_what_is_no_plain_file_is_invalid_and_waited_for_by_nobody(tmp_path, what):
    target = tmp_path / "elsewhere.npy"
    np.save(target, ROWS)
    folder = tmp_path / "answers"
    folder.mkdir()
    PLACES[what](folder, target)
    with pytest.raises(TrialFailed, match="plain file") as ended:
        receive(folder, "profile", WANTED)
    assert ended.value.status == "invalid"


def test_a_folder_that_is_a_link_or_a_file_is_invalid(tmp_path):
    (tmp_path / "real").mkdir()
    np.save(tmp_path / "real" / "rows.npy", ROWS)
    os.symlink(tmp_path / "real", tmp_path / "link")
    for name in ("link", "real/rows.npy"):
        with pytest.raises(TrialFailed, match="the folder of its answers can't be read"):
            receive(tmp_path / name, "profile", WANTED)


def test_holes_of_a_terabyte_are_not_read(tmp_path):
    with open(tmp_path / "rows.npy", "wb") as file:
        file.write(told(f"({1 << 38},)"))
        file.truncate(file.tell() + (1 << 40))
    for wanted in (WANTED, {"rows": ANY}):
        with pytest.raises(TrialFailed, match="expected floats"):
            receive(tmp_path, "profile", wanted)


@pytest.mark.parametrize(("descr", "size"), [("f4", 4), ("f8", 8), ("?", 1)])
def test_an_array_of_any_shape_has_no_more_bytes_than_can_be_held(descr, size):
    """Its bytes count, whatever numbers they are."""
    most = received.MOST // size
    assert ANY.fits((most,), np.dtype(descr))
    assert ANY.fits((2, most // 2), np.dtype(descr))
    assert not ANY.fits((most + 1,), np.dtype(descr))
    assert not ANY.fits((3, most // 2), np.dtype(descr))


def test_a_file_that_is_cut_or_grows_while_it_is_read_gives_an_answer_or_invalid(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(received, "PIECE", 64)
    values = np.arange(4000, dtype=np.float64)
    content = npy(values)
    put(tmp_path, content)
    stop = threading.Event()

    def play():
        lengths = np.random.default_rng(0).integers(0, 2 * len(content), 10**6)
        with open(tmp_path / "rows.npy", "r+b") as file:
            for length in lengths:
                if stop.is_set():
                    return
                file.truncate(length)
                file.seek(0)
                file.write(content)
                file.truncate(len(content))
                file.flush()

    thread = threading.Thread(target=play)
    thread.start()
    ends = set()
    try:
        for _ in range(300):
            try:
                found = receive(tmp_path, "profile", {"rows": Expected((4000,))})["rows"]
                ends.add("answer")
                assert found.shape == (4000,)
            except TrialFailed as ended:
                ends.add(ended.status)
    finally:
        stop.set()
        thread.join()
    assert ends == {"answer", "invalid"}


def test_a_file_shorter_than_it_said_when_it_was_opened_is_invalid(tmp_path, monkeypatch):
    put(tmp_path, npy(ROWS)[:-8])
    real = os.fstat

    class Longer:
        st_size, st_mode = len(npy(ROWS)), 0o100644

    monkeypatch.setattr(
        received.os,
        "fstat",
        lambda number: Longer() if real(number).st_size == len(npy(ROWS)) - 8 else real(number),
    )
    with pytest.raises(TrialFailed, match="it ends after 40 bytes of numbers; expected 48"):
        receive(tmp_path, "profile", WANTED)


def test_no_file_stays_open_and_no_more_is_kept_than_is_asked(tmp_path):
    put(tmp_path, npy(ROWS))
    put(tmp_path, os.urandom(100), "other")
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    assert set(receive(tmp_path, "profile", WANTED)) == {"rows"}
    for content in (b"", npy(ROWS.T.copy())):
        put(tmp_path, content)
        with pytest.raises(TrialFailed):
            receive(tmp_path, "profile", WANTED)
    assert set(os.listdir("/proc/self/fd") if before else ()) == before


def test_a_question_says_what_must_come():
    question = Profiles(np.ones((5, 7), bool), np.empty(0), np.arange(5))
    assert expected_arrays(question.shapes(np.ones(7, bool))) == {"profile": Expected((5, 7))}
    assert str(Expected((5, 7))) == "floats of shape (5, 7)"
    assert str(Expected((7,), boolean=True)) == "booleans of shape (7,)"


def test_a_workers_answers_are_read_so(tmp_path):
    with WorkerProcess(tmp_path) as worker:
        out = worker.room.out / "profile"
        out.mkdir()
        put(out, told(f"({HUGE},)"), "profile")
        with pytest.raises(TrialFailed, match="expected floats of shape") as ended:
            worker.answers("profile", {"profile": Expected((5, 7))})
        assert ended.value.status == "invalid"
        assert not out.exists()
