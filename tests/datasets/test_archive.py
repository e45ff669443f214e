"""What is read of a source distribution that is damaged or made to do harm: one sentence each."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from kobench.datasets import archive as reading
from kobench.datasets.distribution import get_distribution
from kobench.datasets.sources import Checksum, Distribution
from kobench.errors import UserError

PATH, TEXT = "evil-1.0/data/E.csv", "a,b\n1,2\n"


def source(archive: Path, *members: str) -> Distribution:
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    return Distribution("evil", "1.0", Checksum("sha256", sha256), members or ("data/E.csv",), None)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Where an archive lies that is here: it is not asked for again."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "evil-1.0.archive"


def tar_of(path: Path, *more: tarfile.TarInfo, files: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in more:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
        for name, text in (files or {PATH: TEXT}).items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def refused(archive: Path, *members: str) -> str:
    """The one sentence by which an archive is refused; nothing of it is left."""
    with pytest.raises(UserError) as caught:
        get_distribution(source(archive, *members), archive.parent, "mine")
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    assert said.startswith("dataset 'mine': evil 1.0 cannot be read (")
    assert said.endswith("); correct the card")
    assert os.listdir(archive.parent) == [archive.name]
    return said


def link(name: str, kind: bytes, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    "member",
    [
        link("evil-1.0/data/secret", tarfile.SYMTYPE, "/etc/passwd"),
        link("evil-1.0/data/secret", tarfile.LNKTYPE, "/etc/passwd"),
        link("evil-1.0/data/secret", tarfile.FIFOTYPE, ""),
        link("evil-1.0/data/secret", tarfile.CHRTYPE, ""),
        link("evil-1.0/data/secret", tarfile.DIRTYPE, ""),
    ],
    ids=lambda member: str(member.type),
)
def test_members_that_are_no_plain_files_are_not_read(
    archive: Path, member: tarfile.TarInfo
) -> None:
    said = refused(tar_of(archive, member), "data/secret")
    assert "(it has no plain file 'data/secret')" in said


def test_members_are_bounded(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    padding = tarfile.TarInfo("evil-1.0/padding")
    padding.size = 5000
    tar_of(archive, padding)
    monkeypatch.setattr(reading, "MOST_MEMBER", 5)
    assert "'evil-1.0/data/E.csv' is longer than 0 GB" in refused(archive)
    monkeypatch.setattr(reading, "MOST_UNPACKED", 5)
    assert "it unpacks to more than 0 GB" in refused(archive)


def test_an_archive_may_be_a_zip(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("evil-1.0/data/", "")
        content.writestr(PATH, TEXT)
    found = get_distribution(source(archive), archive.parent, "mine")
    assert found["E.csv"].read_text() == TEXT


def test_a_damaged_archive_is_said(archive: Path) -> None:
    archive.write_bytes(tar_of(archive).read_bytes()[:-40])
    refused(archive, "data/none.csv")


def test_a_damaged_member_of_a_zip_is_said(archive: Path) -> None:
    """A member packed by LZMA, whose errors are none of zipfile's own."""
    text = "".join(f"{number},{number * number}\n" for number in range(2000)).encode()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as content:
        content.writestr(PATH, text)
        start = content.getinfo(PATH).header_offset
    damaged = bytearray(archive.read_bytes())
    damaged[start + 200 : start + 260] = b"\xff" * 60
    archive.write_bytes(damaged)
    assert "(Corrupt input data)" in refused(archive)


def changed(path: Path, *changes: tuple[bytes, int, bytes]) -> None:
    """A zip with other numbers behind each of these marks."""
    content = bytearray(path.read_bytes())
    for mark, offset, value in changes:
        at = content.index(mark) + offset
        content[at : at + len(value)] = value
    path.write_bytes(content)


def test_an_encrypted_member_of_a_zip_is_said(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr(PATH, TEXT)
    changed(archive, (b"PK\x03\x04", 6, b"\x01"), (b"PK\x01\x02", 8, b"\x01"))
    assert "('evil-1.0/data/E.csv' is encrypted)" in refused(archive)


@pytest.mark.parametrize("method", [9, 98, 0xFFFF])
def test_a_member_packed_in_an_unknown_way_is_said(archive: Path, method: int) -> None:
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr(PATH, TEXT)
    number = struct.pack("<H", method)
    changed(archive, (b"PK\x03\x04", 8, number), (b"PK\x01\x02", 10, number))
    assert "compression" in refused(archive)


def test_a_patched_member_of_a_zip_is_said(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr(PATH, TEXT)
    changed(archive, (b"PK\x03\x04", 6, b"\x20"), (b"PK\x01\x02", 8, b"\x20"))
    assert "(compressed patched data" in refused(archive)


@pytest.mark.parametrize("name", ["w:bz2", "w:xz", "w"])
def test_archives_packed_in_other_ways(archive: Path, name: str) -> None:
    with tarfile.open(archive, name) as content:  # type: ignore[call-overload]
        member = tarfile.TarInfo(PATH)
        member.size = len(TEXT)
        content.addfile(member, io.BytesIO(TEXT.encode()))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2 if name != "w" else 515])
    refused(archive)
    archive.write_bytes(whole)
    found = get_distribution(source(archive), archive.parent, "mine")
    assert found["E.csv"].read_text() == TEXT


#: Reads an archive in a process that may allocate 300 MB more than it has.
LITTLE = """
import resource, sys
from pathlib import Path
from kobench.datasets.archive import read_members
from kobench.datasets.sources import Checksum, Distribution
there = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (there + (300 << 20),) * 2)
wanted = Distribution("evil", "1.0", Checksum("sha256", "0"), ("data/E.csv",), None)
try:
    read_members(wanted, Path(sys.argv[1]), Path(sys.argv[1]).parent)
except ValueError as error:
    print(error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited so on Linux")
@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_what_is_said_of_a_member_fills_no_memory(archive: Path, kind: bytes) -> None:
    """400 MB of zeros where a name, or more on the next member, should be."""
    head = tarfile.TarInfo("x")
    head.type, head.size = kind, 400 << 20
    with gzip.open(archive, "wb", 1) as file:
        file.write(head.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(400):
            file.write(b"\0" * (1 << 20))
    assert archive.stat().st_size < 4 << 20
    command = [sys.executable, "-c", LITTLE, str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == ("it says more than 2 MB of a member, where a name is meant to be\n"), (
        done.stderr
    )


def test_sparse_files_and_many_members_are_refused(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparse = tarfile.TarInfo("evil-1.0/sparse")
    sparse.pax_headers = {
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.numblocks": "1",
    }
    assert "'evil-1.0/sparse' is a sparse file" in refused(tar_of(archive, sparse))
    monkeypatch.setattr(reading, "MOST_MEMBERS", 3)
    many = [tarfile.TarInfo(f"evil-1.0/{number}") for number in range(3)]
    assert "it holds more than 3 members" in refused(tar_of(archive, *many))
    assert get_distribution(source(tar_of(archive, *many[:2])), archive.parent, "mine")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited so on Linux")
def test_a_dictionary_of_xz_larger_than_is_right(archive: Path) -> None:
    """The head says that unpacking needs 1.5 GB, of an archive of some bytes."""
    content = bytearray(lzma.compress(gzip.decompress(tar_of(archive).read_bytes())))
    length = (content[12] + 1) * 4
    assert content[14:16] == b"\x21\x01"  # LZMA2, with one byte that says how large
    content[16] = 37
    content[8 + length : 12 + length] = struct.pack("<I", zlib.crc32(content[12 : 8 + length]))
    archive.write_bytes(content)
    assert "it takes more than 512 MB of memory" in refused(archive)
