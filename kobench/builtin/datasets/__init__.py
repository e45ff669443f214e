"""The built-in datasets: simulated networks, AnnData files, tables, PBMC cells."""
