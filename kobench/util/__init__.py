"""Small helpers that know nothing of kobench: text for people, files, locks, references."""
