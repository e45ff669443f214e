"""What is measured: each module gives the rows of the table about one part of kobench, as
`ROWS`.
"""
