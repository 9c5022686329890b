"""Honest work: what a neighbour of an attack hands in."""

from honest import RandomAgent
