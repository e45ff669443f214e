"""What the formats share: marks, legends, values and sentences as plain text."""
