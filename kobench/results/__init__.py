"""What a run leaves behind: records of trials, and the answers stored by their content."""
