"""A board written down: for the terminal, as Markdown, CSV, JSON, LaTeX or HTML."""
