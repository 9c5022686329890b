"""What is shown of a network's inside and of a convolution, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from grader.records.network_pictures import (
    FeatureMaps,
    KernelTiles,
    MapPair,
    NetworkPictures,
    NoPictures,
    WorkedPixel,
    quantised,
)
from grader.reporting.images import framed_url, image_url, mosaic_url
from grader.reporting.wording import count_of, number_text

ABSENT_WORDS: Final = {
    NoPictures.NOT_REBUILT: "There are no pictures of feature maps: they are drawn only of a "
    "network that could be rebuilt from its layers and weights, without your code. Anything else "
    "would show what your code says about itself.",
    NoPictures.SEVERAL_INPUTS: "There are no pictures of feature maps: the network has more than "
    "one input.",
    NoPictures.NO_CONVOLUTION: "There are no pictures of feature maps: no layer of your network "
    "slides a kernel over the image.",
    NoPictures.TOO_LARGE: "There are no pictures of feature maps: they are too large for a report.",
    NoPictures.BROKEN: "There are no pictures of feature maps: the grader could not draw them. "
    "That is not your mistake, and costs nothing.",
}
"""Why there is nothing to see, for the student."""


@dataclass(frozen=True)
class Tile:
    """One small image."""

    url: str
    label: str
    dead: bool = False


@dataclass(frozen=True)
class TileGroup:
    """Images of one side."""

    title: str
    description: str
    """For those who do not see it; counts and sizes."""
    tiles: tuple[Tile, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PairView:
    """A convolution of the student's beside the one asked for."""

    title: str
    received: TileGroup | None
    expected: TileGroup | None
    caption: str


@dataclass(frozen=True)
class ChannelView:
    """One channel of a window times one channel of a kernel."""

    name: str
    patch: str
    kernel: str
    total: str


@dataclass(frozen=True)
class PixelView:
    """One value of a feature map, worked out."""

    filter: int
    place: tuple[int, int]
    frame: str
    channels: tuple[ChannelView, ...]
    example: str
    """One of the products, in numbers."""
    sum: str
    bias: str
    total: str
    activation: str
    value: str


@dataclass(frozen=True)
class PicturesView:
    """Everything that is shown of one network."""

    absent: str
    resized: bool
    frames: TileGroup | None = None
    kernels: tuple[TileGroup, ...] = ()
    kernel_caption: str = ""
    pairs: tuple[PairView, ...] = ()
    left_out: int = 0
    pixel: PixelView | None = None


def pictures_view(pictures: NetworkPictures) -> PicturesView:
    """All images and captions of one network."""
    if pictures.absent is not None or pictures.frames is None:
        absent = pictures.absent or NoPictures.BROKEN
        return PicturesView(absent=ABSENT_WORDS[absent], resized=False)
    frames = pictures.frames.array()
    kernels = tuple(
        _kernel_group(title, kernels)
        for title, kernels in (
            ("Yours", pictures.received_kernels),
            ("Asked for, before training", pictures.expected_kernels),
        )
        if kernels is not None
    )
    return PicturesView(
        absent="",
        resized=pictures.resized,
        frames=TileGroup(
            title="The image that goes in",
            description=f"{count_of(frames.shape[2], 'frame')} of Breakout, "
            f"{frames.shape[0]} × {frames.shape[1]} pixels each",
            tiles=tuple(
                Tile(
                    image_url(frames[:, :, index], signed=False),
                    frame_name(index, frames.shape[2]),
                )
                for index in range(frames.shape[2])
            ),
        ),
        kernels=kernels,
        kernel_caption=_kernel_caption(pictures.received_kernels),
        pairs=tuple(
            _pair_view(pair, index + 1) for index, pair in enumerate(pictures.convolutions)
        ),
        left_out=pictures.left_out,
        pixel=None if pictures.pixel is None else _pixel_view(pictures.pixel, frames),
    )


def frame_name(index: int, count: int) -> str:
    """Such as `2 frames ago`."""
    back = count - 1 - index
    return "newest" if back == 0 else f"{back} before"


# --- kernels ------------------------------------------------------------------------------------


def _kernel_group(title: str, kernels: KernelTiles) -> TileGroup:
    pixels = kernels.pixels.array()
    height, width = kernels.size
    return TileGroup(
        title=title,
        description=f"{title}: {len(pixels)} of {count_of(kernels.filters, 'kernel')}, "
        f"{height} × {width} for each of {count_of(kernels.channels, 'channel')}; "
        f"full colour is a weight of {number_text(kernels.largest)}",
        tiles=tuple(
            Tile(mosaic_url(kernel), str(number)) for number, kernel in enumerate(pixels, 1)
        ),
        notes=(
            f"{count_of(kernels.filters, 'kernel')} of {height} × {width}; full colour is a "
            f"weight of ±{number_text(kernels.largest)}"
            + (f"; the first {len(pixels)} are shown" if len(pixels) < kernels.filters else ""),
        ),
    )


def _kernel_caption(kernels: KernelTiles | None) -> str:
    if kernels is None:
        return ""
    if kernels.averaged:
        parts = f"Each square is one kernel, the mean of its {kernels.channels} channels."
    elif kernels.channels > 1:
        parts = (
            f"Each square is one kernel; it has one part for each of the {kernels.channels} "
            "channels of the image, from the oldest frame (top left) to the newest."
        )
    else:
        parts = "Each square is one kernel."
    if kernels.biases_zero:
        trained = (
            " All its biases are 0, so this layer has not been trained: kernels that look like "
            "noise are normal here, and training is what turns them into edges and corners."
        )
    else:
        trained = ""
    return f"{parts} Orange is positive, blue negative, white zero.{trained}"


# --- feature maps -------------------------------------------------------------------------------


def dead_sentence(maps: FeatureMaps) -> str:
    """How many maps are zero everywhere."""
    if not maps.dead:
        return "No map is zero everywhere for this image."
    verb = "is" if maps.dead == 1 else "are"
    return f"{maps.dead} of {count_of(maps.maps, 'map')} {verb} zero everywhere for this image."


def _pair_view(pair: MapPair, number: int) -> PairView:
    return PairView(
        title=f"Convolution {number}",
        received=None if pair.received is None else _map_group("Yours", pair.received),
        expected=None if pair.expected is None else _map_group("Asked for", pair.expected),
        caption=_pair_caption(pair),
    )


def _map_group(title: str, maps: FeatureMaps) -> TileGroup:
    pixels = maps.tiles.pixels.array()
    shown = len(pixels)
    height, width = maps.size
    which = f"the {shown} most active of {maps.maps}" if shown < maps.maps else f"all {shown}"
    return TileGroup(
        title=title,
        description=f"{title}: {which} feature maps, {height} × {width}. {dead_sentence(maps)}",
        tiles=tuple(
            Tile(
                image_url(image, signed=maps.tiles.signed, lifted=True),
                str(number),
                number in maps.tiles.dead,
            )
            for number, image in zip(maps.tiles.numbers, pixels, strict=True)
        ),
        notes=(
            f"{maps.kind}, {maps.kernel[0]} × {maps.kernel[1]} kernel, strides {maps.strides}, "
            f"{'no activation' if maps.activation == 'linear' else maps.activation}: "
            f"{height} × {width}, {which} maps",
            dead_sentence(maps),
        ),
    )


def _colours(received: FeatureMaps | None, expected: FeatureMaps | None) -> str:
    about_zero = "Orange is positive, blue negative, white zero"
    from_zero = "Black is zero; the brighter, the larger"
    signed = {maps.tiles.signed for maps in (received, expected) if maps is not None}
    if signed == {True, False} and received is not None and received.tiles.signed:
        return f"Yours: {about_zero.lower()}. Asked for: {from_zero.lower()}."
    if signed == {True, False}:
        return f"Yours: {from_zero.lower()}. Asked for: {about_zero.lower()}."
    return f"{about_zero if signed == {True} else from_zero}."


def _pair_caption(pair: MapPair) -> str:
    received, expected = pair.received, pair.expected
    colours = _colours(received, expected)
    if received is None:
        return (
            f"Your network has no such convolution. Beside it: what it would give, with kernels "
            f"drawn at random. {colours}"
        )
    if expected is None:
        return f"No such convolution was asked for. {colours}"
    if not pair.same_kernels:
        return (
            "Your kernels have another shape than those asked for, so the network asked for has "
            "kernels drawn at random here: compare sizes and coarseness, not single maps. "
            f"{colours}"
        )
    if received.tiles.pixels == expected.tiles.pixels and received.tiles.numbers == (
        expected.tiles.numbers
    ):
        return (
            "Both networks have your kernels here, and give the same maps, as they should. "
            f"{colours}"
        )
    return (
        "Both networks have your kernels here: what differs comes from the layers, this one or "
        f"one before it. {colours}"
    )


# --- one pixel ----------------------------------------------------------------------------------


def _pixel_view(
    pixel: WorkedPixel, frames: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> PixelView:
    patch = pixel.patch.array().astype(np.float64)
    kernel = pixel.kernel.array().astype(np.float64)
    products = patch * kernel
    largest_patch = float(np.max(np.abs(patch), initial=0.0))
    largest_kernel = float(np.max(np.abs(kernel), initial=0.0))
    negative = bool((patch < 0).any())
    count = patch.shape[2]
    row, column, channel = np.unravel_index(int(np.argmax(np.abs(products))), products.shape)
    total = float(products.sum()) + pixel.bias
    sides = (patch.shape[0], patch.shape[1])
    return PixelView(
        filter=pixel.filter,
        place=pixel.place,
        frame=framed_url(frames[:, :, min(int(channel), frames.shape[2] - 1)], pixel.corner, sides),
        channels=tuple(
            ChannelView(
                name=frame_name(index, count) if count > 1 else "image",
                patch=image_url(
                    quantised(patch[:, :, index], largest_patch, signed=negative), signed=negative
                ),
                kernel=image_url(
                    quantised(kernel[:, :, index], largest_kernel, signed=True), signed=True
                ),
                total=number_text(float(products[:, :, index].sum())),
            )
            for index in range(count)
        ),
        example=f"{number_text(float(patch[row, column, channel]))} × "
        f"{number_text(float(kernel[row, column, channel]))} = "
        f"{number_text(float(products[row, column, channel]))}",
        sum=number_text(float(products.sum())),
        bias=number_text(pixel.bias),
        total=number_text(total),
        activation=pixel.activation,
        value=number_text(pixel.value),
    )
