"""The scan sector: echoes inside; text, ticks, bars and background outside."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from USEnhanceLib.frames import find_sector, read_frames

pytest.importorskip("scipy")

HEIGHT, WIDTH = 240, 320


def make_fan(height=HEIGHT, width=WIDTH, half_angle=30):
    """The truth of a convex probe: an annular sector below its centre."""
    rows, columns = np.mgrid[:height, :width]
    scale = height / HEIGHT
    x, y = columns - width / 2, rows + 60 * scale
    radius, angle = np.hypot(x, y), np.degrees(np.arctan2(x, y))
    return (radius > 80 * scale) & (radius < 285 * scale) & (np.abs(angle) < half_angle)


def make_speckle(shape, seed=0, level=0.2):
    from scipy import ndimage

    noise = np.random.default_rng(seed).standard_normal((2, *shape))
    noise = ndimage.gaussian_filter(noise, (0, 1, 1.5))
    envelope = np.hypot(*noise) / noise.std()
    return np.clip(level + 0.12 * np.log(envelope + 1e-3), 0.02, 1).astype(np.float32)


def draw(frame):
    """Draw a grey bar, ticks, lines of text and a scale onto `frame`, and return where."""
    drawn = np.zeros(frame.shape, dtype=bool)
    frame[10:90, 4:12] = np.linspace(1, 0.1, 80)[:, None]
    drawn[10:90, 4:12] = True
    for row in range(20, HEIGHT - 10, 25):
        frame[row : row + 2, WIDTH - 8 : WIDTH - 3] = 1
        drawn[row : row + 2, WIDTH - 8 : WIDTH - 3] = True
    generator = np.random.default_rng(1)
    for row, column in ((5, 250), (17, 250), (29, 260), (222, 10)):
        letters = generator.random((8, 50)) > 0.5
        letters[:, ::6] = False
        frame[row : row + 8, column : column + 50][letters] = 0.9
        drawn[row : row + 8, column : column + 50] |= letters
    return drawn


def overlap(found, truth):
    return (found & truth).sum() / (found | truth).sum()


def make_image(seed=0):
    fan = make_fan()
    frame = np.where(fan, make_speckle(fan.shape, seed), 0).astype(np.float32)
    drawn = draw(frame)
    assert not (drawn & fan).any()
    return frame, fan, drawn


def test_a_fan_with_drawings_around_it():
    frame, fan, drawn = make_image()
    found = find_sector(frame)
    assert found.shape == fan.shape
    assert found.dtype == bool
    assert overlap(found, fan) > 0.95
    assert found[fan].mean() > 0.99
    assert not (found & drawn).any()


def test_the_arc_of_the_probe_is_outside():
    frame, fan, _ = make_image()
    above = np.zeros_like(fan)
    above[: int(np.flatnonzero(fan[:, WIDTH // 2])[0]) - 3, WIDTH // 2 - 20 : WIDTH // 2 + 20] = True
    assert above.sum() > 400
    assert find_sector(frame)[above].mean() < 0.02


def test_a_background_that_is_grey_or_noisy_is_background_all_the_same():
    frame, fan, drawn = make_image()
    compressed = frame + np.random.default_rng(2).integers(0, 2, frame.shape) / np.float32(255)
    grey = np.where(fan | drawn, frame, np.float32(0.15))
    for image in (compressed, grey):
        found = find_sector(image)
        assert overlap(found, fan) > 0.95
        assert not (found & drawn).any()


def test_fluid_and_shadows_are_inside():
    frame, fan, _ = make_image()
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    dark = ((rows - 130) ** 2 / 45**2 + (columns - 150) ** 2 / 60**2 < 1) & fan
    dark |= fan & (np.abs(columns - 215) < 9) & (rows > 60)
    frame[dark] = 0
    found = find_sector(frame)
    assert found[dark].mean() > 0.99
    assert overlap(found, fan) > 0.93


def test_a_layer_of_fluid_across_the_whole_width_does_not_split_the_sector():
    truth = np.zeros((HEIGHT, WIDTH), dtype=bool)
    truth[20:220, 100:220] = True
    frame = np.where(truth, make_speckle(truth.shape), 0).astype(np.float32)
    frame[90:140, 100:220] = 0
    assert overlap(find_sector(frame), truth) > 0.95


def test_a_linear_probe_gives_a_rectangle_with_its_corners():
    truth = np.zeros((HEIGHT, WIDTH), dtype=bool)
    truth[30:200, 80:240] = True
    found = find_sector(np.where(truth, make_speckle(truth.shape), 0))
    assert overlap(found, truth) > 0.97


def test_frames_without_background_are_all_sector():
    assert find_sector(make_speckle((200, 260))).all()
    assert find_sector(np.random.default_rng(0).random((3, 64, 64))).all()
    assert find_sector(make_speckle((60, 30))).all()
    assert find_sector(np.tile(np.linspace(0, 1, 100), (80, 1))).all()
    assert find_sector(np.tile(np.linspace(0, 1, 100)[:, None], (1, 80))).all()


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (1, 7, 3), (23, 400), (2, 5, 5)])
def test_tiny_frames_are_all_sector(shape):
    image = np.zeros(shape)
    image[..., -1] = 1
    found = find_sector(image)
    assert found.shape == shape[-2:]
    assert found.all()


def test_black_frames_are_all_sector():
    assert find_sector(np.zeros((4, 100, 100))).all()


def test_motion_finds_the_sector_that_texture_misses():
    """A large block of drawings touches the sector, but only the echoes move."""
    fan = make_fan()
    cine = np.stack([np.where(fan, make_speckle(fan.shape, seed), 0) for seed in range(8)]).astype(np.float32)
    block = make_speckle((90, 60), 99)
    cine[:, 100:190, :60] = block
    touching = np.zeros_like(fan)
    touching[100:190, :60] = True
    touching &= ~fan
    found = find_sector(cine)
    assert overlap(found, fan) > 0.95
    assert found[touching].mean() < 0.05


def test_a_moving_trace_below_the_sector_is_outside():
    fan = make_fan()
    fan[205:] = False
    cine = []
    trace = np.zeros_like(fan)
    for seed in range(10):
        frame = np.where(fan, make_speckle(fan.shape, seed), 0).astype(np.float32)
        columns = np.arange(30 * seed, 30 * seed + 30)
        rows = (225 + 8 * np.sin(columns / 4)).astype(int)
        frame[rows, columns] = frame[rows + 1, columns] = 1
        trace[rows, columns] = True
        cine.append(frame)
    found = find_sector(np.stack(cine))
    assert overlap(found, fan) > 0.93
    assert not (found & trace).any()


def test_large_images_give_the_same_sector():
    from scipy import ndimage

    frame, fan, drawn = make_image()
    large = np.kron(frame, np.ones((5, 5), np.float32))
    large = np.where(np.kron(fan, np.ones((5, 5), bool)), make_speckle(large.shape), large)
    found = find_sector(large)
    assert overlap(found, np.kron(fan, np.ones((5, 5), bool))) > 0.93
    assert found[ndimage.zoom(drawn.astype(np.uint8), 5, order=0) > 0].mean() < 0.01


def test_a_grey_bar_drawn_over_echoes_is_outside():
    frame = make_speckle((HEIGHT, WIDTH))
    bar = np.zeros_like(frame, dtype=bool)
    bar[20:110, 2:6] = bar[100:160, 310:316] = True
    frame[20:110, 2:6] = np.linspace(1, 0, 90)[:, None]
    frame[100:160, 310:316] = np.linspace(0.1, 0.9, 60)[:, None]
    found = find_sector(np.round(frame * 255) / 255)
    assert found[bar].mean() < 0.05
    assert found[~bar].mean() > 0.98


def test_the_mask_depends_on_nothing_but_the_pixels():
    frame, *_ = make_image()
    before = frame.copy()
    assert np.array_equal(find_sector(frame), find_sector(frame[None]))
    assert np.array_equal(frame, before)


def read_rows(folder):
    with (folder / "split.csv").open() as file:
        return list(csv.DictReader(file))


def coverage(folder, names):
    """Return the share of the labels inside the sector, one a frame, and the masks."""
    shares, masks = [], []
    for name, label in names:
        found = find_sector(read_frames(folder / "image" / name).pixels)
        labels = read_frames(folder / "label" / label).source[0]
        shares.append(found[labels > 0].mean())
        masks.append(found)
    return np.array(shares), np.array(masks) if len({mask.shape for mask in masks}) == 1 else masks


def test_intrapartum_frames_with_bar_and_ticks(data_folder):
    folder = data_folder / "psfhs"
    names = [f"{row['id']}.png" for row in read_rows(folder) if row["device"] == "A_bar"][::40]
    shares, masks = coverage(folder, [(name, name) for name in names])
    assert len(names) > 20
    # Labels are ellipses that reach beyond the sector here and there.
    assert shares.mean() > 0.995
    assert shares.min() > 0.9
    assert not masks[:, :62, :10].any()  # the grey bar
    assert not masks[:, 240:].any()  # the ticks below the sector
    assert (masks.mean(axis=(1, 2)) > 0.5).all()


def test_intrapartum_frames_with_a_narrow_sector(data_folder):
    folder = data_folder / "psfhs"
    names = [f"{row['id']}.png" for row in read_rows(folder) if row["device"] == "B_nobar"][::12]
    shares, masks = coverage(folder, [(name, name) for name in names])
    assert len(names) > 20
    # Heads are labelled as whole ellipses where the narrow sector cuts them off.
    assert shares.mean() > 0.98
    assert shares.min() > 0.85
    assert not masks[:, :2, :50].any()  # the line at the top left
    assert (np.abs(masks.mean(axis=(1, 2)) - 0.58) < 0.08).all()


def test_antenatal_frames(data_folder):
    folder = data_folder / "hc18"
    rows = read_rows(folder)[::40]
    label = next((folder / "label").glob(f"{rows[0]['id']}*")).name.replace(rows[0]["id"], "")
    shares, _ = coverage(folder, [(f"{row['id']}.png", f"{row['id']}{label}") for row in rows])
    assert len(rows) > 20
    assert shares.mean() > 0.995
    assert shares.min() > 0.9


# Rows and columns that hold drawings or echoes, read off the pictures by eye.
SCREENS = {
    "phantom/clarius-ocular-image.png": {
        "outside": [(0, 90, 0, 330), (880, 960, 900, 1280), (0, 960, 0, 240), (0, 960, 1030, 1280)],
        "inside": [(150, 480, 400, 780), (600, 800, 350, 750)],
    },
    "phantom/interson-image.jpg": {
        "outside": [(0, 870, 1260, 1357), (0, 40, 0, 1357), (0, 870, 0, 320)],
        "inside": [(80, 820, 420, 880)],
    },
    "phantom/sonosite-anon-eye1.jpg": {
        "outside": [(650, 720, 0, 960), (0, 720, 0, 330), (0, 720, 780, 960), (0, 30, 0, 960)],
        "inside": [(50, 200, 400, 700), (320, 620, 400, 700)],
    },
    "phantom/sonoque_anechoic-3mm-3mm.dcm": {
        "outside": [(0, 1455, 0, 330), (0, 1455, 1800, 2083), (0, 60, 0, 2083)],
        "inside": [(300, 1380, 400, 1680)],
    },
    "phantom/sonivate-anechoic_1-1.nrrd": {"outside": [], "inside": [(60, 490, 140, 370)]},
    "dicom/examples_rgb_color.dcm": {
        "outside": [(0, 45, 0, 320), (173, 240, 0, 320)],
        "inside": [(70, 145, 40, 280)],
    },
    "dicom/examples_jpeg2k.dcm": {
        "outside": [(0, 95, 0, 640), (345, 480, 0, 640)],
        "inside": [(130, 310, 80, 560)],
    },
    "dicom/examples_ybr_color.dcm": {
        "outside": [(0, 240, 0, 35), (0, 240, 300, 320), (208, 240, 0, 320)],
        "inside": [(90, 180, 120, 200)],
    },
}


@pytest.mark.parametrize("name", SCREENS)
def test_screens_with_text_and_buttons(name, data_folder):
    found = read_frames(data_folder / name).sector
    for top, bottom, left, right in SCREENS[name]["outside"]:
        assert not found[top:bottom, left:right].any()
    for top, bottom, left, right in SCREENS[name]["inside"]:
        assert found[top:bottom, left:right].all()


@pytest.mark.parametrize("index", [0, 11, 29])
def test_a_single_compressed_frame_keeps_text_and_buttons_outside_too(index, data_folder):
    name = "dicom/examples_ybr_color.dcm"
    found = find_sector(read_frames(data_folder / name).pixels[index])
    for top, bottom, left, right in SCREENS[name]["outside"]:
        assert not found[top:bottom, left:right].any()
    assert found[80:170, 140:190].all()


def test_grey_bars_of_antenatal_frames_are_outside_also_over_echoes(data_folder):
    folder = data_folder / "hc18" / "image"
    shares = []
    for row in read_rows(folder.parent)[::12]:
        frames = read_frames(folder / f"{row['id']}.png")
        bar = frames.source[0, 14:76, 2].astype(int)
        if bar[0] > 200 and bar[-1] < 130 and (np.diff(bar) <= 1).all():
            shares.append(frames.sector[14:76, 2].mean())
    assert len(shares) > 20
    assert max(shares) < 0.05
