"""Packages that something imports where they are there, and whose each of them is.

What kobench needs looks for them in kobench's own process, so whoever brings one is imported
unasked. It may come from the distributions alone that are meant. These are known by their names on
the index of packages, which need not be those of the modules that they bring.
"""

from __future__ import annotations

import sys

from kobench.plugins.sources import normalise

#: Modules that come from the distribution of their own name.
_OF_THEIR_NAME = (
    "awkward bottleneck brotli brotlicffi chardet charset_normalizer cython dask fsspec"
    " hdf5plugin ipykernel ipywidgets IPython isal jax jinja2 lxml lz4 lzmaffi matplotlib"
    " msgpack mudata numba numexpr openpyxl pcodec polars psutil pyarrow rdata s3fs tables"
    " tabulate uarray uharfbuzz unicodedata2 xarray zappy zarr zlib_ng zopfli zstandard"
)

#: CuPy has a distribution for each version of what it computes with.
_CUPY = (
    "cupy",
    *(f"cupy-cuda{version}" for version in ("11x", "12x", "13x")),
    *(f"cupy-rocm-{version}" for version in ("4-3", "5-0", "7-0")),
)

#: Modules that come from distributions of other names, and those. A distribution of such a module's
#: own name is somebody else's, or could be anybody's.
_OF_OTHER_NAMES = {
    "cupy": _CUPY,
    "cupyx": _CUPY,
    "odf": ("odfpy",),
    "pyximport": ("cython",),
    "sksparse": ("scikit-sparse",),
    "pkg_resources": ("setuptools",),
    "setuptools": ("setuptools",),
    "snappy": ("python-snappy",),
    "_distutils_hack": ("setuptools",),
}

#: Whose each module is that is looked for: normalised names of distributions.
LOOKED_FOR = {
    **{name: frozenset([normalise(name)]) for name in _OF_THEIR_NAME.split()},
    **{name: frozenset(owners) for name, owners in _OF_OTHER_NAMES.items()},
}

#: Folders in which many have their part.
NAMESPACES = frozenset({"scikits", "backports"})

#: What no distribution has by right: modules of Python, also on other systems, and such folders.
NOBODYS = sys.stdlib_module_names | {"org", "_winreg", "compression"} | NAMESPACES


def may_bring(distribution: str, module: str) -> bool:
    """Whether a distribution may have a module at the top of a folder of packages.

    Parameters
    ----------
    distribution : str
        Its normalised name.
    module : str
        The module's name.

    Examples
    --------
    >>> may_bring("scikit-sparse", "sksparse"), may_bring("sksparse", "sksparse")
    (True, False)
    >>> may_bring("mine", "mine_more"), may_bring("mine", "org")
    (True, False)
    """
    return module not in NOBODYS and distribution in LOOKED_FOR.get(module, {distribution})
