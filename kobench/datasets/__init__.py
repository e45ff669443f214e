"""From files and cards to validated cells, and what is done with them before a trial."""
