"""The same methods written out from their formulas, one sample at a time: what the fast code is
compared with, here and in the tests.
"""
