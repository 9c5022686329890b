"""Hostile submissions, what shows whether one got through, and the run that tries them all."""
