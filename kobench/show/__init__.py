"""`kobench show`: all that is known of one trial, from its record alone."""
