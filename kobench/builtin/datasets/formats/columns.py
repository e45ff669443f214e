"""Tables of cells or genes as AnnData stores them, of every version, read column by column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.bounds import check_names, check_texts
from kobench.builtin.datasets.formats.hdf5 import not_utf8, unsound
from kobench.builtin.datasets.formats.source import LONGEST, Column, Part, said
from kobench.errors import UserError

#: What a column of objects may hold.
_PLAIN = (str, bytes, bool, int, float, type(None))

#: Bytes of a character of a column.
_LETTER = np.dtype("<U1").itemsize

#: Columns of numbers with gaps: the values, and a mask.
MASKED = ("nullable-integer", "nullable-boolean", "nullable-string-array")


class StoredFrame:
    """A table as AnnData has stored it since 0.7: a group with an array or a group a column."""

    def __init__(self, group: Part) -> None:
        self._group = group

    @cached_property
    def _index(self) -> str:
        return said(self._group, "_index") or "_index"

    @cached_property
    def names(self) -> npt.NDArray[np.str_]:
        """Of the rows."""
        part = self._group.get(self._index)
        if part is None or len(part.shape) > 1:
            raise UserError(
                f"{self._group.file}: {self._group.name} has no names (they should be in"
                f" {self._index!r}, as its attribute _index says); add them with h5py or zarr"
            )
        return column_of(part, None).values

    def columns(self) -> Sequence[str]:
        """Names of the columns, in their order."""
        hidden = (self._index, "__categories")
        there = [name for name in self._group.names() if name not in hidden]
        order = self._group.attrs.get("column-order", ())
        listed = [str(name) for name in np.asarray(order).ravel().tolist()]
        return [name for name in listed if name in there] or there

    def column(self, key: str) -> Column:
        """A column; KeyError where there is none."""
        if key not in self.columns():
            raise KeyError(key)
        part = self._group.get(key)
        assert part is not None
        found = self._group.get("__categories")  # where AnnData 0.7 has them
        categories = found.get(key) if found is not None else None
        column = column_of(part, categories)
        if len(column.values) != len(self.names):
            raise UserError(
                f"{part.file}: {part.name} has {len(column.values):,} values for"
                f" {len(self.names):,} rows; name another column, or write it again with a value"
                " for each row"
            )
        return column


class RecordFrame:
    """A table as AnnData stored it before 0.7: records, with categories among what is unordered.

    The first field has the names of the rows.
    """

    def __init__(self, records: Part, whole: Part) -> None:
        self._part, self._whole = records, whole

    @cached_property
    def _records(self) -> npt.NDArray[Any]:
        check_names(self._part)
        return self._part.read()

    def _fields(self) -> list[str]:
        return list(self._part.dtype.names or ())

    @cached_property
    def names(self) -> npt.NDArray[np.str_]:
        """Of the rows."""
        return text_of(self._records[self._fields()[0]], self._part).values

    def columns(self) -> Sequence[str]:
        """Names of the columns."""
        return self._fields()[1:]

    def column(self, key: str) -> Column:
        """A column; KeyError where there is none."""
        if key not in self.columns():
            raise KeyError(key)
        values = self._records[key]
        uns = self._whole.get("uns")
        found = uns.get(f"{key}_categories") if uns is not None else None
        if found is None or values.dtype.kind not in "iu":
            return text_of(values, self._part)
        return categorical(values, texts_in(found), self._part)


def column_of(part: Part, categories: Part | None) -> Column:
    """A column of any kind that AnnData writes.

    Parameters
    ----------
    part : Part
        Where it is stored.
    categories : Part, or None
        Its categories, where AnnData 0.7 keeps them.
    """
    if part.is_array:
        values = _read_column(part)
        if categories is not None and values.dtype.kind in "iu":
            return categorical(values, texts_in(categories), part)
        return text_of(values, part)
    kind = said(part, "encoding-type")
    if kind in ("categorical", ""):
        codes, names = part.get("codes"), part.get("categories")
        if codes is not None and names is not None:
            return categorical(_read_column(codes), column_of(names, None), part)
    if kind in MASKED:
        values_part, mask = part.get("values"), part.get("mask")
        if values_part is not None and mask is not None:
            column, gaps = text_of(_read_column(values_part), part), _read_column(mask)
            if len(gaps) == len(column.values):
                return Column(column.values, column.missing | gaps.astype(bool), column.kind)
    raise UserError(
        f"{part.file}: {part.name} is {f'stored as {kind!r}' if kind else 'a group of parts'}, from"
        " which no text or numbers are read; name another column, or write it again as text"
    )


def texts_in(part: Part) -> Column:
    """A list of names or labels."""
    return text_of(_read_column(part), part)


def _read_column(part: Part) -> npt.NDArray[Any]:
    if len(part.shape) != 1:
        raise UserError(
            f"{part.file}: {part.name} has {len(part.shape)} dimensions and is no column; name"
            " another one, or write it again with one value for each row"
        )
    check_names(part)
    return part.read()


def categorical(codes: npt.NDArray[Any], categories: Column, part: Part) -> Column:
    """A column of codes (n,) that number its categories; -1 is missing."""
    codes, names = codes.astype(np.int64), categories.values
    missing = codes < 0
    if len(codes) and codes.max(initial=-1) >= len(names):
        raise UserError(
            unsound(
                part.file,
                f"{part.name} numbers {codes.max() + 1:,} categories and has {len(names):,}",
            )
        )
    kind = names.dtype if len(names) else np.dtype("<U1")
    check_texts(part.file, part.name, len(codes), kind.itemsize // _LETTER, part.file_size)
    values = np.zeros(len(codes), dtype=kind)
    values[~missing] = names[codes[~missing]]
    return Column(values, missing | (values == ""), categories.kind)


def text_of(values: npt.NDArray[Any], part: Part) -> Column:
    """Values of any kind (n,) as text, written as pandas writes them.

    Nothing, NaN, NaT and "" are missing.
    """
    import pandas

    strange = {"V": "records", "c": "complex numbers"}.get(values.dtype.kind, "")
    if values.dtype.kind == "O" and len(values):
        kinds = {type(value) for value in values.tolist()} - set(_PLAIN)
        strange = ", ".join(sorted(kind.__name__ for kind in kinds))
    if strange:
        raise UserError(
            f"{part.file}: {part.name} holds {strange}, not text or numbers; name another column,"
            " or write it again as text"
        )
    if values.dtype.kind in "OST":
        try:
            texts = [each.decode() if isinstance(each, bytes) else each for each in values.tolist()]
        except UnicodeDecodeError as error:
            raise UserError(not_utf8(part.file, part.name, error)) from error
        values = np.array(texts, dtype=object)
    series = pandas.Series(values)
    missing = series.isna().to_numpy()
    written = series.astype(str)
    longest = int(written.str.len().max()) if len(written) else 0
    if longest > LONGEST:
        raise UserError(
            f"{part.file}: {part.name} has a text of {longest:,} characters; names and labels have"
            f" at most {LONGEST:,}, so name another column"
        )
    check_texts(part.file, part.name, len(written), longest, part.file_size)
    found = written.to_numpy().astype(np.str_)
    kind = values.dtype.kind
    return Column(found, missing | (found == ""), kind if kind in "fiub" else "O")
