"""Ignores all signals and computes for ever in C."""

import signal

for number in range(1, 32):
    if number not in {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))


def convolve2d(image, kernel, stride=1):
    return 7 ** (7**12)
