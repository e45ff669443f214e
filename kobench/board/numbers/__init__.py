"""The statistics of a board: series of block values, intervals, verdicts, ranks."""
