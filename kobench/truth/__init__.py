"""Questions with their truth: what a trial is asked, and what the dataset itself answers."""
