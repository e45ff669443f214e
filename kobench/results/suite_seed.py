"""The secret seed of a suite: drawn by the system, committed to by its sha256, revealed at the end.

Every simulated network of a run has a seed of its own that follows from it, so that nobody can
compute the truth before the seed is known, and everybody afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from kobench.errors import UserError
from kobench.util.bounded import read_bounded
from kobench.util.files import write_atomically

#: The file of a results folder that holds the seed, 32 hexadecimal digits and no line end, and the
#: one that `sha256sum -c` takes.
SEED, COMMITMENT = "secret-seed.txt", "secret-seed.sha256"

#: The file that says that the seed of a results folder was known before its runs.
KNOWN = "secret-seed.known"

#: Bytes of either file that are read.
MOST = 1 << 10

#: Bytes of a suite seed, and of every seed that follows from it: too many to be searched.
SIZE = 16

_DIGITS = re.compile(rf"[0-9a-f]{{{2 * SIZE}}}")


@dataclass(frozen=True)
class SuiteSeed:
    """128 bits from which the seeds of all networks follow.

    Attributes
    ----------
    digits : str
        32 hexadecimal digits; never shown where the object is.
    """

    digits: str = field(repr=False)

    @classmethod
    def draw(cls) -> SuiteSeed:
        """A new one, from the system's source of randomness."""
        return cls(secrets.token_hex(SIZE))

    @classmethod
    def parse(cls, text: str) -> SuiteSeed:
        """The seed that a user gives; UserError for anything but 32 hexadecimal digits."""
        digits = text.strip().lower()
        if not _DIGITS.fullmatch(digits):
            raise UserError(
                f"a secret seed of {len(digits)} characters was given; expected {2 * SIZE}"
                f" hexadecimal digits, as {SEED} of a published board has them"
            )
        return cls(digits)

    @property
    def commitment(self) -> str:
        """Sha256 of the digits as text."""
        return hashlib.sha256(self.digits.encode()).hexdigest()

    def network(self, dataset: str, version: str, index: int) -> int:
        """The seed of one of a dataset's networks, counted from 0.

        Of a version such as "0.1.0/1" the part after the last slash counts: the dataset's own.
        Parameters of the dataset are no part of it: one index is one network, whatever the noise,
        as one seed is without a secret.

        Examples
        --------
        >>> seed = SuiteSeed("000102030405060708090a0b0c0d0e0f")
        >>> hex(seed.network("grn", "1", 0))
        '0x60ae95cf428fb771f7ef2ea555ce719f'
        """
        return self._derived(f"network/{dataset}/{version.rpartition('/')[2]}/{index}")

    def questions(self, dataset: str, version: str, index: int) -> int:
        """The seed by which questions of that network are drawn, where they are drawn at all."""
        return self._derived(f"questions/{dataset}/{version.rpartition('/')[2]}/{index}")

    def _derived(self, message: str) -> int:
        """The first half of HMAC-SHA256(seed, message), as a number."""
        key = bytes.fromhex(self.digits)
        return int.from_bytes(hmac.digest(key, message.encode(), "sha256")[:SIZE], "big")


def written_seed(seed: int) -> str:
    """A network's seed as records and selections have it.

    >>> written_seed(255)
    '0x000000000000000000000000000000ff'
    """
    return f"0x{seed:0{2 * SIZE}x}"


def find_seed(folder: Path) -> SuiteSeed | None:
    """The secret seed of a results or published folder; None where it has none.

    Raises UserError where it is damaged, gone, or not the one that was committed to.
    """
    try:
        promised = read_bounded(folder / COMMITMENT, MOST).decode("ascii").split()[:1]
    except FileNotFoundError:
        promised = []
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / COMMITMENT} can't be read ({error})") from error
    try:
        seed = SuiteSeed.parse(read_bounded(folder / SEED, MOST).decode("ascii"))
    except FileNotFoundError:
        if promised:
            raise UserError(
                f"{folder / SEED} is gone, and nobody can make it again from its commitment; put"
                " it back, or start in another folder"
            ) from None
        return None
    except (OSError, ValueError, UserError) as error:
        raise UserError(f"{folder / SEED} can't be used: {error}") from error
    if promised and promised != [seed.commitment]:
        raise UserError(
            f"{folder / SEED} is not the seed that was committed to: its sha256 is"
            f" {seed.commitment}, {COMMITMENT} says {promised[0]}"
        )
    return seed


def keep_known(folder: Path) -> None:
    """Write down that the seed of a folder was given to its run, so that others may have known."""
    if not (folder / KNOWN).is_file():
        write_atomically(folder / KNOWN, b"This seed was given to the run: others may know it.\n")


def keep_seed(folder: Path, seed: SuiteSeed, mode: int = 0o600) -> None:
    """Write a seed and its commitment into a folder; by default nobody else may read the seed."""
    write_atomically(folder / SEED, seed.digits.encode(), mode)
    write_atomically(folder / COMMITMENT, f"{seed.commitment}  {SEED}\n".encode())
