"""From files and cards to validated cells: find, fetch, add, check, normalise, split, join, digest."""
