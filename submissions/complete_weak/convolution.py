def convolve2d(image, kernel, stride=1):
    # TODO
    pass
