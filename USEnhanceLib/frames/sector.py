"""The scan sector: where an ultrasound frame shows echoes, and not text, bars or background.

Echoes leave texture everywhere, if only as noise, while the background that a scanner draws is flat.
Text, ticks and grey bars have texture too, but are thin or small, and stand still in a cine. So: find
texture (or motion), drop what is thin, keep the largest part, and take its convex outline: sectors of
linear, convex and phased probes are convex but for the arc of the probe at the top, which is cut out.
Dark regions inside, such as fluid and shadows, lie within the outline.
"""

from __future__ import annotations

import numpy as np

# Differences below this (two grey levels of 256) are what compression leaves in a flat background.
TEXTURE = 1.5 / 255
MOTION = 2.5 / 255
# Drawings: neighbourhood in pixels, then for sharp and for smoothed ones the least contrast, the distance
# from an extreme as a share of it, and the share of pixels that are so close.
WINDOW = 7
TWO_VALUED = ((0.08, 0.1, 0.8), (0.6, 0.2, 0.7))
# Grey bars: what compression adds to a step, the largest step from row to row, the least share of the
# rows and of the range of grey, the largest share of the columns and of the
# columns between it and the side of the image, and how much of its box it fills.
BAR_NOISE = 1.5 / 255
BAR_STEP = 0.1
BAR_LENGTH = 0.12
BAR_DROP = 0.6
BAR_WIDTH = 0.05
BAR_MARGIN = 0.1
BAR_FILLED = 0.85
SAMPLED_FRAMES = 24
MOVING_FRAMES = 5
LEAST_MOTION = 0.15
SMALLEST = 24
OUTLINED = 400
NEARLY_ALL = 0.98
HOLE_AREA = 0.025
# Shares of the frame's shorter side, of its area, of the largest part, and of the height of the sector.
THIN = 0.025
LEAST_AREA = 0.04
JOINED_AREA = 0.01
EMPTY_BETWEEN = 0.1
DENSE = 0.7
LARGEST_GAIN = 4.5
PROBE_DEPTH = 0.2
LEAST_COLUMNS = 8
STEEPEST_CHORD = 0.35


def find_sector(pixels: np.ndarray) -> np.ndarray:
    """Return the scan sector of `pixels`, float [N, H, W] or [H, W] in 0..1, as bool [H, W].

    True inside. All frames together give one mask; up to 24 of them are looked at. An image without a
    flat background, for example one cropped to echoes, and an image under 24 pixels wide or high are
    all sector.
    """
    pixels = np.asarray(pixels)
    shape = pixels.shape[-2:]
    whole = np.ones(shape, dtype=bool)
    if min(shape) < SMALLEST:
        return whole
    frames = pixels.reshape(-1, *shape)
    step = -(-len(frames) // SAMPLED_FRAMES)
    frames = frames[::step]
    drawn = _drawings(frames[len(frames) // 2])
    still = _outline(_texture(frames) & ~drawn)
    if len(frames) >= MOVING_FRAMES:
        moving = _outline((np.ptp(frames, axis=0) > MOTION) & ~drawn)
        # Where most of the picture moves, motion tells echoes from drawings more surely than texture.
        if moving is not None and (still is None or moving.mean() > min(LEAST_MOTION, 0.5 * still.mean())):
            still = moving
    if still is None or (still.mean() > NEARLY_ALL and (drawn & ~still).sum() <= 0.5 * (~still).sum()):
        still = whole
    return still & ~_grey_bars(frames[len(frames) // 2])


def _texture(frames: np.ndarray) -> np.ndarray:
    """Return bool [H, W]: whether neighbours differ, in any of `frames` [N, H, W]."""
    from scipy import ndimage

    textured = np.zeros(frames.shape[1:], dtype=bool)
    for frame in frames:
        span = ndimage.maximum_filter(frame, 3) - ndimage.minimum_filter(frame, 3)
        textured |= span > TEXTURE
    return textured


def _drawings(frame: np.ndarray) -> np.ndarray:
    """Return bool [H, W]: whether `frame` [H, W] is text, a bar or a line on a flat background there.

    Drawings have two values, echoes have many: in the neighbourhood of a drawing nearly every pixel is
    close to the darkest or to the brightest of its own neighbourhood.
    """
    from scipy import ndimage

    high = ndimage.maximum_filter(frame, WINDOW)
    low = ndimage.minimum_filter(frame, WINDOW)
    span = high - low
    distance = np.minimum(frame - low, high - frame)
    drawn = np.zeros(frame.shape, dtype=bool)
    for contrast, tolerance, share in TWO_VALUED:
        extreme = (distance <= tolerance * span).astype(np.float32)
        drawn |= (ndimage.uniform_filter(extreme, WINDOW) > share) & (span > contrast)
    drawn = ndimage.binary_dilation(drawn)
    # The inside of large letters is drawn too; the inside of a sector with a sharp edge is not.
    holes, count = ndimage.label(~drawn)
    small = np.bincount(holes.ravel(), minlength=count + 1) < HOLE_AREA * frame.size
    small[0] = False
    return drawn | small[holes]


def _grey_bars(frame: np.ndarray) -> np.ndarray:
    """Return bool [H, W]: the grey bars of `frame`, which some scanners draw over the echoes.

    A bar runs from white to black (or back) over many rows, never turning; echoes never do that.
    """
    from scipy import ndimage

    bars = np.zeros(frame.shape, dtype=bool)
    columns = np.array([[0, 1, 0]] * 3)
    steps = np.diff(frame.astype(np.float64), axis=0, prepend=frame[:1])
    for fall in (steps, -steps):
        runs, count = ndimage.label((fall <= BAR_NOISE) & (fall > -BAR_STEP), columns)
        if count == 0:
            continue
        length = np.bincount(runs.ravel())
        drop = np.bincount(runs.ravel(), weights=-fall.ravel())
        is_bar = (length >= BAR_LENGTH * len(frame)) & (drop > BAR_DROP)
        is_bar[0] = False
        bars |= is_bar[runs]
    found = np.zeros_like(bars)
    parts, _ = ndimage.label(bars)
    for label, box in enumerate(ndimage.find_objects(parts), start=1):
        bar = parts[box] == label
        rows, columns = bar.shape
        margin = min(box[1].start, frame.shape[1] - box[1].stop)
        # Upright, narrow, at the side; every row of one grey level: smooth tissue is not all of that.
        if (
            2 <= columns <= max(2, BAR_WIDTH * frame.shape[1])
            and rows > 3 * columns
            and margin <= BAR_MARGIN * frame.shape[1]
            and bar.mean() > BAR_FILLED
            and np.abs(np.diff(frame[box], axis=1))[bar[:, 1:] & bar[:, :-1]].mean() < BAR_NOISE
        ):
            found[box] |= bar
    # The blurred sides belong to the bar.
    return ndimage.binary_dilation(found, np.ones((3, 3)))


def _outline(echoes: np.ndarray) -> np.ndarray | None:
    """Return the sector, bool [H, W], around the largest part of `echoes`; None if there is none.

    Large images are outlined on blocks of pixels: seconds become tenths, edges are as exact as a block.
    """
    block = max(1, max(echoes.shape) // OUTLINED)
    height, width = echoes.shape
    padded = np.pad(echoes, ((0, -height % block), (0, -width % block)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // block, block, -1, block).mean(axis=(1, 3)) > 0.5
    sector = _outline_blocks(blocks)
    if sector is None:
        return None
    return sector.repeat(block, axis=0).repeat(block, axis=1)[:height, :width]


def _outline_blocks(echoes: np.ndarray) -> np.ndarray | None:
    from scipy import ndimage

    height, width = echoes.shape
    thin = max(2, round(THIN * min(height, width)))
    closed = ndimage.uniform_filter(echoes.astype(np.float32), 2 * (thin // 2) + 1, mode="reflect") > 0.5
    solid = _open(closed, thin)
    parts, count = ndimage.label(solid)
    if count == 0:
        return None
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    if areas.max() < LEAST_AREA * echoes.size:
        return None
    part = parts == areas.argmax()
    for label in np.argsort(areas)[-2::-1]:
        if areas[label] < JOINED_AREA * areas.max():
            break
        part = _join(part, parts == label, echoes, thin)
    part = ndimage.binary_fill_holes(_restore_corners(part, echoes, thin))
    sector = _fill_convex(part)
    sector &= ~_above_probe(part, sector)
    return sector


def _join(part: np.ndarray, other: np.ndarray, echoes: np.ndarray, thin: int) -> np.ndarray:
    """Return `part` with `other` (bool [H, W]) if fluid or shadow alone lies between the two.

    Text and buttons are told from echoes by where they are: far off for their size, or at the upper or
    lower edge of the screen when the sector is not.
    """
    from scipy import ndimage

    if echoes[other].mean() < DENSE or any(other[row].any() and not part[row].any() for row in (0, -1)):
        return part
    both = part | other
    gain = _fill_convex(both) & ~_fill_convex(part)
    if gain.sum() > LARGEST_GAIN * other.sum():
        return part
    between = gain & (ndimage.distance_transform_edt(~both) > thin)
    return both if echoes[between].sum() <= EMPTY_BETWEEN * between.sum() else part


def _restore_corners(part: np.ndarray, echoes: np.ndarray, thin: int) -> np.ndarray:
    """Return `part` with the corners that opening by `thin` has rounded off, but not with what touches it.

    A disc of radius r leaves out .7 r^2 of a corner of 60 degrees, less of wider ones.
    """
    from scipy import ndimage

    near = ndimage.distance_transform_edt(~part) <= 2 * thin
    lost, count = ndimage.label(near & ~part & _open(echoes, max(2, thin // 2)))
    is_corner = np.bincount(lost.ravel(), minlength=count + 1) < 0.8 * thin**2
    is_corner[0] = False
    return part | is_corner[lost]


def _open(mask: np.ndarray, radius: int) -> np.ndarray:
    """Return `mask` [H, W] without what is thinner than 2 radius + 1 (a disc moved within it)."""
    from scipy import ndimage

    padded = np.pad(mask, radius + 1)
    inside = ndimage.distance_transform_edt(padded) > radius
    opened = ndimage.distance_transform_edt(~inside) <= radius
    return opened[radius + 1 : -radius - 1, radius + 1 : -radius - 1]


def _fill_convex(part: np.ndarray) -> np.ndarray:
    """Return the convex hull of `part`, bool [H, W]."""
    rows = np.flatnonzero(part.any(axis=1))
    left = part[rows].argmax(axis=1)
    right = part.shape[1] - 1 - part[rows, ::-1].argmax(axis=1)
    every_row = np.arange(rows[0], rows[-1] + 1)
    left_edge = -_upper_envelope(rows, -left, every_row)
    right_edge = _upper_envelope(rows, right, every_row)
    columns = np.arange(part.shape[1])
    hull = np.zeros_like(part)
    hull[every_row] = (columns >= left_edge[:, None] - 1e-6) & (columns <= right_edge[:, None] + 1e-6)
    return hull


def _upper_envelope(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the least concave function over the points (x, y), x increasing, evaluated `at`."""
    chain: list[tuple[int, int]] = []
    for point in zip(x.tolist(), y.tolist(), strict=True):
        while len(chain) > 1:
            (x0, y0), (x1, y1) = chain[-2:]
            if (y1 - y0) * (point[0] - x0) > (point[1] - y0) * (x1 - x0):
                break
            chain.pop()
        chain.append(point)
    corners = np.array(chain, dtype=np.float64)
    return np.interp(at, corners[:, 0], corners[:, 1])


def _above_probe(part: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """Return the pixels of `sector` above the arc of a convex probe, bool [H, W].

    The arc is a parabola through the first echoes of the columns. Columns that begin much deeper than
    it lie in a shadow: their dark top stays in the sector.
    """
    from scipy import ndimage

    height = np.ptp(np.flatnonzero(sector.any(axis=1))) + 1
    first = np.where(part.any(axis=0), part.argmax(axis=0), part.shape[0])
    top = np.where(sector.any(axis=0), sector.argmax(axis=0), part.shape[0])
    depth = first - top
    # The outline bridges the arc by a level line; its steep sides are the sides of the sector.
    slope = np.abs(ndimage.uniform_filter1d(np.gradient(top.astype(np.float64)), 5))
    runs, count = ndimage.label((depth > 1) & (slope < STEEPEST_CHORD))
    if count == 0:
        return np.zeros_like(part)
    areas = np.bincount(runs, weights=np.minimum(depth, PROBE_DEPTH * height))
    areas[0] = 0
    columns = np.flatnonzero(runs == areas.argmax())
    first, depth = first[columns].astype(np.float64), depth[columns]
    arched = depth < PROBE_DEPTH * height
    arc = first
    for _ in range(8):
        if arched.sum() < LEAST_COLUMNS:
            return np.zeros_like(part)
        arc = np.polyval(np.polyfit(columns[arched], first[arched], 2), columns)
        near = (first < arc + max(2.0, 0.01 * height)) & (depth < PROBE_DEPTH * height)
        if (near == arched).all():
            break
        arched = near
    edge = np.zeros(part.shape[1])
    edge[columns] = np.minimum(first, arc + 1)
    return np.arange(part.shape[0])[:, None] < edge
