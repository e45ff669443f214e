"""Whether the records of a board are what a run could have left: by themselves, and scored anew."""
