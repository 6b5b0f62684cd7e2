"""Scores on RGB-D frames: how a frame may be stored, and the fit that makes an affine copy of the truth perfect."""

import csv
import json

import cv2
import numpy as np
import pytest
import torch

from training.evaluate import boundary_f1, draw_curve, read_rgbd, score_frames, torch_predict
from training.net import GeometryNet


def write_frame(folder, depth, **meta):
    """A frame with a grey photo and uint16 depth; returns its folder."""
    folder.mkdir()
    cv2.imwrite(str(folder / "rgb.png"), np.full((*depth.shape, 3), (10, 20, 30), np.uint8))
    cv2.imwrite(str(folder / "depth.png"), depth.astype(np.uint16))
    facts = {"rgb": "rgb.png", "depth": "depth.png", "depth_scale": 1000, "scene": "outdoor street"} | meta
    (folder / "meta.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture
def depth():
    return np.random.default_rng(0).integers(500, 5000, (40, 60))


def test_disparity_is_one_over_metres_and_zero_where_nothing_was_measured(tmp_path, depth):
    depth[:5] = 0
    depth[5] = 4095
    rgb, disparity, domain = read_rgbd(write_frame(tmp_path / "a", depth, invalid=[4095], max_depth_m=4.5))
    assert tuple(rgb[0, 0]) == (30, 20, 10)
    assert domain == "street"
    seen = (depth > 0) & (depth != 4095) & (depth <= 4500)
    assert np.array_equal(disparity > 0, seen)
    assert np.allclose(1 / disparity[seen], depth[seen] / 1000)


def test_rotated_bits_and_stored_disparity(tmp_path, depth):
    rotated = ((depth << 3) | (depth >> 13)) & 0xFFFF
    _, disparity, _ = read_rgbd(write_frame(tmp_path / "a", rotated, sun_bitshift=True))
    assert np.allclose(1 / disparity, depth / 1000)
    _, disparity, _ = read_rgbd(write_frame(tmp_path / "b", depth, gt_is_disparity=True))
    assert np.array_equal(disparity, depth)


def test_an_affine_copy_of_the_truth_is_perfect_and_a_constant_is_not(tmp_path, depth):
    _, truth, _ = read_rgbd(write_frame(tmp_path / "a", depth))
    name, delta1, absrel = score_frames(lambda rgb: 5 * truth + 3, tmp_path)["street"][0]
    assert (name, delta1, absrel) == ("a", 1.0, pytest.approx(0, abs=1e-4))
    assert score_frames(lambda rgb: np.ones_like(truth), tmp_path)["street"][0][1] < 0.6


def test_an_unreadable_frame_is_named(tmp_path, depth):
    folder = write_frame(tmp_path / "a", depth)
    (folder / "depth.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"depth\.png"):
        read_rgbd(folder)


def test_torch_predict_gives_a_map_at_the_network_s_size():
    torch.manual_seed(0)
    net = GeometryNet((8, 8, 8, 8, 8), 8, 2).eval()
    disparity = torch_predict(net, 64)(np.zeros((480, 640, 3), np.uint8))
    assert disparity.shape == (64, 64)
    assert (disparity >= 0).all()


def test_the_curve_has_a_line_per_column(tmp_path):
    with (tmp_path / "log.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["step", "seconds", "loss"], [0, 0, 1.0], [10, 5, 0.0]])
    draw_curve(tmp_path / "log.csv", tmp_path / "curve.png")
    picture = cv2.imread(str(tmp_path / "curve.png"))
    coloured = np.ptp(picture.astype(int), axis=2) > 60
    # From the top left (step 0, value 1) to the bottom right (last step, value 0).
    assert coloured[20, 38:44].any()
    assert coloured[-22:-18, 766:772].any()
    assert not coloured[-40:, 40:400].any()


def test_boundary_f1_is_one_at_the_truth_and_nothing_for_a_map_without_edges():
    truth = np.ones((40, 60), np.float32)
    truth[10:30, 20:40] = 2
    assert boundary_f1(truth, truth) == 1
    assert boundary_f1(7 * truth, truth) == 1
    assert boundary_f1(np.ones_like(truth), truth) == 0
    assert boundary_f1(3 - truth, truth) == 0  # the other side in front
    moved = np.roll(truth, 1, 1)
    assert 0.2 < boundary_f1(moved, truth) < 0.6  # upper and lower edges still fit
    soft = cv2.blur(truth, (9, 9))
    assert boundary_f1(soft, truth) < 0.5
    assert boundary_f1(np.roll(truth, 1, axis=0), truth, within=1) == 1 > boundary_f1(np.roll(truth, 1, axis=0), truth)
    assert boundary_f1(3 - truth, truth, within=9) == 0


def test_boundary_f1_leaves_out_what_was_not_measured():
    truth = np.ones((20, 20), np.float32)
    truth[:, 10:] = 0
    assert boundary_f1(np.where(truth > 0, 1, 9.0), truth) == 0
    truth[:, :5] = 2
    assert boundary_f1(np.where(truth > 0, truth, 9.0), truth) == 1
