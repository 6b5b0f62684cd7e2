"""What an upload's file said about the photo, kept beside the pixels: those are encoded anew and say nothing any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recon.types import Photo

PhotoFacts = dict[str, Any]
"""full_size, doubt, panorama and notes of a Photo, as JSON has them."""


def facts_of(photo: Photo) -> PhotoFacts:
    """What is to be kept of a photo that was read from its own file."""
    return {
        "full_size": photo.full_size,
        "doubt": photo.doubt,
        "panorama": photo.panorama,
        "notes": list(photo.notes),
    }


def with_facts(photo: Photo, facts: PhotoFacts | None) -> Photo:
    """The kept photo with what its own file said; as it is where nothing was kept, as of jobs before there was this."""
    if facts is None:
        return photo
    full = facts["full_size"]
    return replace(photo, full_size=full and (full[0], full[1]), doubt=facts["doubt"], panorama=facts["panorama"],
                   notes=tuple(facts["notes"]))  # fmt: skip
