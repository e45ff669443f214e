"""One section of a board: its rows, and the sentences that say what a reader should know."""
