"""One method's rows for somebody's board: written by its author, judged and taken in there."""
