"""Automatic grading of reinforcement-learning and neural-network coursework.

The package runs untrusted student code in worker processes, saves what crossed the process
boundary as evidence, and derives every mark from that evidence by pure functions.
"""

from typing import Final

__version__: Final = "0.1.0"
