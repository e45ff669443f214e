"""What is measured: each module gives the rows about one part of kobench, as `ROWS`."""
