"""`kobench run`: from a request to a plan of trials, each carried out and written down."""
