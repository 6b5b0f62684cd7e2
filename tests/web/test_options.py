"""An option is spelled once: one field of a dataclass appears everywhere that options are asked for, told or kept."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema, ValidationError

from recon.cli.arguments import Groups, add_options, read_options
from recon.cli.phrasebook import COMMAND_LINE, flag_of
from recon.errors import BadOption
from recon.option_fields import Choice, Page
from recon.options import PhotoOptions, RefineOptions, option, option_of, options_of, plain, restored
from recon.refinement.recipes import RECIPES
from recon.results import PhotoGeometry, Reconstruction
from tests.scenes import WHOLE, camera_of, depth_of, photo_of, room
from web_3d_app.http import options as web
from web_3d_app.work import checkpoint


@dataclass(frozen=True)
class More(PhotoOptions):
    """The options of a photo, and one that was invented here."""

    twist: float = option(0.0, "turn the model", kind="number", what="an angle", low=-90.0, high=90.0, unit="degrees",
                          group="shape", metavar="DEG", page=Page("Twist, degrees", "How it stands"))  # fmt: skip
    finish: str = option("matt", "its look", choices=(Choice("matt", "Matt", "Dull"), Choice("gloss", "Glossy", "Bright")),
                         page=Page("Finish", "How it shines"))  # fmt: skip


@pytest.fixture
def made() -> Reconstruction:
    camera = camera_of(96, 72, 80.0)
    return Reconstruction(PhotoGeometry(photo_of(camera), WHOLE, camera, depth_of(room(camera))), More(twist=30.0))


def parsed(*words: str) -> More:
    parser = argparse.ArgumentParser()
    add_options(Groups(parser), More)
    assert "--twist DEG           turn the model" in parser.format_help()
    return read_options(parser.parse_args(words), More)


def test_an_invented_option_is_a_flag() -> None:
    assert parsed("--twist", "30").twist == 30.0
    assert parsed().twist == 0.0
    with pytest.raises(BadOption) as told:
        parsed("--twist", "91")
    assert (told.value.code, told.value.values["high"]) == ("option.range", 90.0)
    assert told.value.message.text(COMMAND_LINE) == "--twist is 91; give an angle from -90 to 90."


def test_an_invented_option_is_read_from_requests_within_its_bounds() -> None:
    schema = Schema.from_dict(web.fields_of(More))()
    assert schema.load({"twist": "30"})["twist"] == 30.0
    assert schema.load({})["twist"] == 0.0
    assert schema.load({"finish": "gloss"})["finish"] == "gloss"
    with pytest.raises(ValidationError, match="twist"):
        schema.load({"twist": "91"})
    with pytest.raises(ValidationError, match="finish"):
        schema.load({"finish": "wet"})


def test_an_invented_option_is_listed_and_stands_in_the_form(
    make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "classes_of", lambda kind: (More, RefineOptions))
    client = make().test_client()
    listed = client.get("/api/v1/options").json["twist"]
    assert listed == {"default": 0.0, "changes": "How it stands", "minimum": -90.0, "maximum": 90.0, "unit": "degrees"}
    page = client.get("/").text
    field = re.search(r'<label for="twist">Twist, degrees</label>\s*<input type="number"[^>]*>', page)
    assert field and 'name="twist"' in field[0] and 'min="-90.0" max="90.0"' in field[0]
    assert re.search(r'<option value="gloss" data-about="Bright">Glossy</option>', page)


def test_an_invented_option_is_in_the_report(made: Reconstruction) -> None:
    assert made.report()["options"]["twist"] == 30.0


def test_an_invented_option_is_kept_between_lanes(made: Reconstruction, tmp_path: Path) -> None:
    kept = checkpoint.load(checkpoint.save(made, tmp_path / "c.npz"), made.photo, More)
    assert kept.options == made.options


def test_what_is_kept_is_read_by_a_program_with_other_options() -> None:
    assert restored(PhotoOptions, plain(More(twist=30.0, fov=50.0))) == PhotoOptions(fov=50.0)
    assert restored(More, plain(PhotoOptions(centre=(3.0, 4.0)))) == More(centre=(3.0, 4.0))


@pytest.mark.parametrize(("change", "code"), [
    ({"fov": 171.0}, "option.range"), ({"fov": float("nan")}, "option.range"), ({"faces": 3}, "option.least"),
    ({"near": 3.0, "far": 2.0}, "option.order"), ({"size_mm": 4.0}, "option.range"),
])  # fmt: skip
def test_what_is_wrong_is_told_as_data(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadOption) as told:
        PhotoOptions(**change)
    assert told.value.code == code


def test_every_flag_is_one_and_every_option_has_words() -> None:
    both = options_of(PhotoOptions, RefineOptions)
    assert len({flag_of(about.name) for about in both}) == len(both)
    assert (flag_of("size_mm"), flag_of("focal_px"), flag_of("preset")) == ("--size", "--focal-px", "--refine")
    for about in both:
        assert about.help
        assert about.page is None or (about.page.label and about.page.changes)


def test_the_presets_on_offer_are_the_ones_there_are() -> None:
    assert [choice.value for choice in option_of(RefineOptions, "preset").choices] == list(RECIPES)
