"""Matching a student's network against the one asked for, layer by layer.

`normal_form` brings the graph into one form, `expected` the assignment's list, `alignment` pairs
the two at least cost, `comparison` prices the differences, `mistakes` names them, `table` shows
them, and `judge` decides.
"""
