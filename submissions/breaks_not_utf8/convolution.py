# Übung 13
import numpy as np


def convolve2d(image, kernel, stride=1):
    kh, kw = kernel.shape
    größe = (image.shape[0] - kh) // stride + 1   # Größe des Ergebnisses
    print("Größe:", größe)
    return np.array([[np.sum(image[i:i + kh, j:j + kw] * 1.0 * kernel)
                      for j in range(0, image.shape[1] - kw + 1, stride)]
                     for i in range(0, image.shape[0] - kh + 1, stride)])
