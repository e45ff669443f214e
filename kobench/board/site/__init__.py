"""One static site of several boards: a pure function of them, written down as pages.

It has a page for every board, section, method, floor, dataset, task and metric. `places` says where
each stands, `summary` counts over datasets, `pages` lays out.
"""

from kobench.board.site.pages import pages_of

__all__ = ["pages_of"]
