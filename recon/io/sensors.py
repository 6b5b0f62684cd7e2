"""How large a camera's sensor is, where EXIF tells the model and the focal length but not the field of view.

Millimetres of the sensor's longer and shorter side as the makers publish them. Phones are not in here: they write the
35 mm equivalent focal length themselves.
"""

from __future__ import annotations

import re

FULL_FRAME, CANON_APS_H, CANON_APS_C, APS_C = (36.0, 24.0), (28.7, 19.0), (22.3, 14.9), (23.6, 15.7)
FOUR_THIRDS, ONE_INCH, MEDIUM_FORMAT = (17.3, 13.0), (13.2, 8.8), (43.8, 32.9)

SENSORS: tuple[tuple[str, tuple[float, float]], ...] = (
    (r"canon eos[- ]?(1d x|1ds|5d|5ds|6d|r|rp|r1|r3|r5|r5c|r6|r8)(m\d)?\b", FULL_FRAME),
    (r"canon eos[- ]?1d\b", CANON_APS_H),
    (r"canon eos", CANON_APS_C),
    (r"nikon (d[3456]|d6\d\d|d7[058]0|d8\d\d|df|z ?[56789]|z ?f)(s|x|e|a|ii|_2|_3| ii)*$", FULL_FRAME),
    (r"nikon 1 ", ONE_INCH),
    (r"nikon (d\d+|z)", APS_C),
    (r"sony (ilce-[179]|ilme-fx3\b|zv-e1$|dsc-rx1(r|$)|slt-a99|dslr-a[89]\d\d|ilca-99)", FULL_FRAME),
    (r"sony dsc-rx10", ONE_INCH),
    (r"sony (ilce|ilme|nex|slt|dslr|ilca|zv-e10)", APS_C),
    (r"fujifilm gfx", MEDIUM_FORMAT),
    (r"fujifilm (x-(t|pro|e|h|m|a)\d*|x-s\d\d|x100)", APS_C),
    (r"(olympus.* e-|(om digital.* )?om-\d)", FOUR_THIRDS),
    (r"panasonic dc-s\d", FULL_FRAME),
    (r"panasonic (dmc|dc)-(g|bgh)", FOUR_THIRDS),
    (r"(ricoh )?pentax k-1\b", FULL_FRAME),
    (r"(ricoh )?pentax k", APS_C),
    (r"leica (m \(|m1\d|m9|q|sl)", FULL_FRAME),
    (r"ricoh gr\b", APS_C),
)
"""Maker and model in lower case, the first that matches counts -> the sensor's sides."""


def sensor_of(make: str, model: str) -> tuple[float, float] | None:
    """The sensor's sides in millimetres by EXIF's Make and Model; None for a camera that is not known."""
    first = make.lower().split()[:1]
    name = " ".join(model.lower().split())
    if first and not name.startswith(first[0]):
        name = f"{make.lower() if first[0] == 'olympus' else first[0]} {name}"
    return next((sides for pattern, sides in SENSORS if re.match(pattern, name)), None)
