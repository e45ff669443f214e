"""Small predictors that misbehave, each a distribution of its own, and the frame that runs them in
a real `kobench run`.
"""
