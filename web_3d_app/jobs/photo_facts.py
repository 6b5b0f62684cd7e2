"""What an upload's file said about the photo, kept beside the pixels: those are encoded anew and say nothing any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recon.types import Photo
from web_3d_app.phrasebook import message_of

PhotoFacts = dict[str, Any]
"""full_size, doubt, panorama and notes of a Photo, as JSON has them (see `phrasebook.message_of`)."""


def facts_of(photo: Photo) -> PhotoFacts:
    """What is to be kept of a photo that was read from its own file."""
    return {
        "full_size": photo.full_size,
        "doubt": photo.doubt and photo.doubt.to_json(),
        "panorama": photo.panorama and photo.panorama.to_json(),
        "notes": [told.to_json() for told in photo.notes],
    }


def with_facts(photo: Photo, facts: PhotoFacts | None) -> Photo:
    """The kept photo with what its own file said; as it is where nothing was kept, as of jobs before there was this."""
    if facts is None:
        return photo
    full, doubt, panorama = facts["full_size"], facts["doubt"], facts["panorama"]
    return replace(
        photo,
        full_size=full and (full[0], full[1]),
        doubt=message_of(doubt) if doubt else None,
        panorama=message_of(panorama) if panorama else None,
        notes=tuple(map(message_of, facts["notes"])),
    )
