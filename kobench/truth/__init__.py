"""Questions with their truth: what a trial is asked, and the answers that the dataset itself gives."""
