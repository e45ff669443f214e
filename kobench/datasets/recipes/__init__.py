"""Recipes: small functions that make the cells of a card from the files of its [[sources]].

A card names one by `recipe = "NAME"`. Each is the function `make` of a module of its own: it is
given the sources as a mapping of name to path, and returns an AnnData. It reads those files and
nothing else, draws with a fixed seed where it draws, and refuses sources that are not what it
expects.
"""
