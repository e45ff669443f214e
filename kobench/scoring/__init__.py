"""Answers and truth to scores, with the draws that their intervals are made of."""
