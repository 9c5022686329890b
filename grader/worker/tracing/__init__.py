"""Follows one forward pass through a model and writes down what it went through.

Layers of exactly a known Keras class become nodes as they are. Containers of any depth are looked
into, so a nested, a functional, a Sequential and a subclassed model leave the same trace. Code
between layers (`x / 255.0`, `tf.nn.relu`, `Lambda`, custom layers) is followed operation by
operation; a function written in several is named by what it does to the numbers. Code that uses
variables of its own, and what fits nothing known, becomes an `unknown` node.

All this happens in the student's process and is a claim. The proof is made elsewhere, by building
the network from the claim and comparing outputs on inputs this process has not seen.
"""
