"""Pictures of a board, drawn with matplotlib (the extra `pictures`)."""
