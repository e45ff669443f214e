"""Small helpers that know nothing of kobench: text for people, files, references to objects."""
