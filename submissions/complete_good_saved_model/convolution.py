import numpy as np


def convolve2d(image, kernel, stride=1):
    kernel_h, kernel_w = kernel.shape
    output = []
    y = 0
    while y + kernel_h <= image.shape[0]:
        line = []
        x = 0
        while x + kernel_w <= image.shape[1]:
            window = image[y:y + kernel_h, x:x + kernel_w].astype(np.float64)
            line.append(np.sum(np.multiply(window, kernel)))
            x += stride
        output.append(line)
        y += stride
    return np.array(output)
