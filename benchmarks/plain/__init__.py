"""The same methods written out from their formulas, one sample at a time.

The fast code is compared with them, here and in the tests.
"""
