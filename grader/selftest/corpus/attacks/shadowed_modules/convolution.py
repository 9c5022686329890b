"""Hands in files named like modules that others import."""

from honest import convolve2d
