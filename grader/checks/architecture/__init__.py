"""Matching a student's network against the one asked for, layer by layer.

`normal_form` brings the graph into one form (`rewriting`, `windows`, `dueling`,
`own_activations`), `expected` the assignment's list; `matching` pairs the two at least cost
(`alignment`, over the orders of `branches`), `comparison` prices the differences line by line
(`rows`), `mistakes` names them, `table` shows them, and `judge` decides.
"""
