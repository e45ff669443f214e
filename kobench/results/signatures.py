"""Who says that records are theirs: signatures by SSH keys, over the digests of records.

A run whose user has a key leaves two files in `signatures/`: a manifest, which has the digest of
each record on a line of its own, and its signature in the namespace `kobench`. Both are as
`ssh-keygen -Y` takes them, so anybody can check them without kobench. A signature says who; whether
the records can be true it does not say.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kobench.errors import UserError
from kobench.results.evidence import record_digest
from kobench.results.parts import Record
from kobench.util.bounded import read_bounded
from kobench.util.files import clear_way, write_atomically

#: The folder beside the records, and what its files end in.
FOLDER, MANIFEST, SIGNATURE = "signatures", ".manifest", ".sig"

#: What signatures are made for, so that one of something else counts for nothing here.
NAMESPACE = "kobench"

#: The first line of a manifest.
HEAD = "records of kobench, the sha256 of each"

#: Bytes of the largest manifest and signature that are read, and how many of them are.
MOST, MOST_SIGNATURE, MOST_FILES = 64 << 20, 64 << 10, 1000

#: Seconds after which ssh-keygen is given up: a key on a token waits for a touch.
PATIENCE = 60

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-f]{16}")
_KEY = re.compile(r"with (\S+) key (SHA256:\S+)")


class NoProgramError(UserError):
    """There is no ssh-keygen here."""


@dataclass(frozen=True)
class Signed:
    """A manifest with its signature, as they lie in a folder.

    Attributes
    ----------
    name : str
        The names of both files, without their endings.
    manifest, signature : bytes
        What they hold.
    """

    name: str
    manifest: bytes
    signature: bytes

    @property
    def digests(self) -> frozenset[str]:
        """The digests of records that it is of."""
        lines = self.manifest.decode("ascii", "replace").splitlines()
        return frozenset(line for line in lines[1:] if _DIGEST.fullmatch(line))


@dataclass(frozen=True)
class Signer:
    """Who signed a manifest, or why that can't be believed.

    Attributes
    ----------
    name : str
        The signer as a file of signers calls them; "" for none of these.
    key : str
        Kind and fingerprint of the key; "" where the signature is not of the manifest.
    problem : str
        Why it counts for nothing, "" where it counts.
    """

    name: str
    key: str
    problem: str = ""


def manifest_of(records: Iterable[Record]) -> bytes:
    """The text that is signed for records, the same in any order."""
    return "\n".join([HEAD, *sorted({record_digest(record) for record in records}), ""]).encode()


def sign(folder: Path, records: Iterable[Record], key: str) -> Path:
    """Sign records of a folder, and return the signature's file.

    Parameters
    ----------
    folder : Path
        The results folder.
    records : iterable of Record
        Those that are signed, all by one signature.
    key : str
        The file of a private SSH key, or of a public one whose private key an agent has.

    Raises
    ------
    UserError
        Where there is no ssh-keygen, or it can't sign with that key.
    """
    manifest = manifest_of(records)
    signature = signature_of(manifest, key)
    place = folder / FOLDER
    name = hashlib.sha256(manifest).hexdigest()[:16]
    for ending, content in ((MANIFEST, manifest), (SIGNATURE, signature)):
        path = place / f"{name}{ending}"
        clear_way(path)
        write_atomically(path, content)
    return place / f"{name}{SIGNATURE}"


def signature_of(text: bytes, key: str) -> bytes:
    """The signature of a text by a key; UserError where none can be made."""
    done = keygen("sign", "-f", key, text=text)
    if done.returncode != 0 or not done.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        raise UserError(
            f"ssh-keygen can't sign with {key} ({said_by(done)}); name the file of a private key,"
            " and where it has a passphrase run `ssh-add` first"
        )
    return done.stdout


def keygen(action: str, *words: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Call `ssh-keygen -Y ACTION` in the namespace of kobench; it is asked nothing by a person."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise NoProgramError("there is no ssh-keygen here, which signs and checks; install OpenSSH")
    namespace = () if action == "find-principals" else ("-n", NAMESPACE)
    try:
        return subprocess.run(
            [program, "-Y", action, *namespace, *words],
            input=text,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            start_new_session=True,  # without a terminal no passphrase is asked for
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"ssh-keygen -Y {action} took more than {PATIENCE} s") from None


def said_by(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last line that ssh-keygen wrote."""
    lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else f"exit code {done.returncode}"


def read_signed(folder: Path) -> Iterator[Signed]:
    """The manifests of a folder that have a signature, by name."""
    names = sorted(path.stem for path in (folder / FOLDER).glob(f"*{MANIFEST}"))
    for name in [name for name in names if _NAME.fullmatch(name)][:MOST_FILES]:
        path = folder / FOLDER / f"{name}{MANIFEST}"
        try:
            manifest = read_bounded(path, MOST)
            signature = read_bounded(path.with_suffix(SIGNATURE), MOST_SIGNATURE)
        except (OSError, ValueError):
            continue
        yield Signed(name, manifest, signature)


def signer_of(signed: Signed, signers: Path, scratch: Path) -> Signer:
    """Who signed a manifest.

    Parameters
    ----------
    signed : Signed
        The manifest and its signature.
    signers : Path
        Whose keys are known, as ALLOWED SIGNERS in ssh-keygen(1) says.
    scratch : Path
        A folder for a file that ssh-keygen reads.
    """
    file = scratch / f"{signed.name}{SIGNATURE}"
    file.write_bytes(signed.signature)
    whole = keygen("check-novalidate", "-s", str(file), text=signed.manifest)
    found = _KEY.search(whole.stdout.decode(errors="replace"))
    if whole.returncode != 0 or found is None:
        return Signer("", "", f"its signature is not of it ({said_by(whole)})")
    key = f"{found[1]} {found[2]}"
    named = keygen("find-principals", "-s", str(file), "-f", str(signers))
    for name in named.stdout.decode(errors="replace").splitlines():
        words = ("-f", str(signers), "-I", name, "-s", str(file))
        if name and keygen("verify", *words, text=signed.manifest).returncode == 0:
            return Signer(name, key)
    return Signer("", key, f"it is signed with the {key}, which is none of {signers}")


def keep_signed(source: Path, folder: Path, records: Iterable[Record]) -> int:
    """Copy the manifests and signatures that name any of these records; returns how many.

    Others that lie in the folder are removed.
    """
    kept = {one.name for one in of_records(source, records)}
    for old in (folder / FOLDER).glob("*"):
        if old.suffix in (MANIFEST, SIGNATURE) and old.stem not in kept:
            old.unlink()
    return add_signed(source, folder, records)


def of_records(folder: Path, records: Iterable[Record]) -> list[Signed]:
    """The manifests of a folder, with their signatures, that name any of these records."""
    there = {record_digest(record) for record in records}
    return [one for one in read_signed(folder) if one.digests & there]


def add_signed(source: Path, folder: Path, records: Iterable[Record]) -> int:
    """Copy the same, and leave others that lie in the folder; returns how many."""
    kept = of_records(source, records)
    for one in kept:
        write_atomically(folder / FOLDER / f"{one.name}{MANIFEST}", one.manifest)
        write_atomically(folder / FOLDER / f"{one.name}{SIGNATURE}", one.signature)
    return len(kept)
