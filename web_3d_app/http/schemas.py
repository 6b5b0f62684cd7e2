"""The API's JSON, for the OpenAPI document. `tests/web/test_http.py` holds that answers have exactly these fields."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import Schema, fields, validate

from recon.options import RefineOptions, option_of
from web_3d_app.http.options import OptionsSchema, ParamsSchema, fields_of
from web_3d_app.jobs.tables import FINAL
from web_3d_app.kinds import KINDS, beginning, lanes
from web_3d_app.kinds.film import CONVERSION
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.kinds.stereo import STEREO

IDS = r"^[\w-]+(,[\w-]+){0,99}$"
PRESET = option_of(RefineOptions, "preset")


BEGIN_WITH_A_PHOTO = [name for name in beginning() if not KINDS[name].film]


class CreateSchema(ParamsSchema):
    """A new job: a sample's name instead of a file, and options."""

    kind = fields.String(
        load_default=PHOTO.name,
        validate=validate.OneOf(BEGIN_WITH_A_PHOTO),
        metadata={
            "description": "what is to be made: photo, a model; stereo, both eyes' pictures, which has the options of"
            " Stereo instead"
        },
    )
    sample = fields.String(metadata={"description": "the name of a sample, instead of a photo"})


class UploadSchema(Schema):
    """The photo."""

    photo = fields.Raw(metadata={"type": "string", "format": "binary"})


class FilmUploadSchema(Schema):
    """The film."""

    film = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})


class StereoSchema(OptionsSchema):
    """How both eyes' pictures of a photo are made."""

    class Meta(OptionsSchema.Meta):
        """By the kind's own options."""

        include: ClassVar[dict[str, Any]] = fields_of(STEREO.options)


class ConvertSchema(OptionsSchema):
    """How a film is converted."""

    class Meta(OptionsSchema.Meta):
        """By the kind's own options."""

        include: ClassVar[dict[str, Any]] = fields_of(CONVERSION.options)


class AgainSchema(ParamsSchema):
    """Options that change, and what is to be made where that is something else."""

    kind = fields.String(validate=validate.OneOf(BEGIN_WITH_A_PHOTO),
                         metadata={"description": "what is to be made of the stored photo; as before where it is left out."
                                                  " stereo has the options of Stereo"})  # fmt: skip


class ArtefactSchema(Schema):
    """One file of a job."""

    name = fields.String()
    kind = fields.String()
    format = fields.String()
    media_type = fields.String()
    bytes = fields.Integer()
    url = fields.String()
    download = fields.String(metadata={"description": "the file name to save it under"})


class PhotoSchema(Schema):
    """The upright photo, in pixels; focal length in millimetres."""

    width = fields.Integer()
    height = fields.Integer()
    focal_35mm = fields.Float(allow_none=True)


class JobErrorSchema(Schema):
    """Why a job failed."""

    code = fields.String()
    message = fields.String()


class LinksSchema(Schema):
    """Where to go from here; null where that is not allowed."""

    page = fields.String()
    self = fields.String()
    events = fields.String()
    zip = fields.String()
    cancel = fields.String(allow_none=True)
    retry = fields.String(allow_none=True)
    refine = fields.String(allow_none=True)
    share = fields.String(allow_none=True)
    again = fields.String(allow_none=True)
    results = fields.String(allow_none=True)
    convert = fields.String(allow_none=True, metadata={"description": "of a film"})


class RefineSchema(Schema):
    """How much better."""

    preset = fields.String(
        load_default=PRESET.default, validate=validate.OneOf([choice.value for choice in PRESET.choices])
    )


class RefinementSchema(Schema):
    """How the better mesh fares. losses: per stage a list of [step, loss]; seconds: so far, and about left; kept_first: it
    was no better than the first model, which stays, and why."""

    preset = fields.String()
    state = fields.String(validate=validate.OneOf(["planned", "waiting", "running", "done", "failed", "cancelled"]))
    stage = fields.String(allow_none=True)
    step = fields.Integer()
    steps = fields.Integer()
    losses = fields.Dict(keys=fields.String(), values=fields.List(fields.List(fields.Float())))
    seconds = fields.Float()
    seconds_left = fields.Float(allow_none=True)
    vertices = fields.Integer(allow_none=True)
    faces = fields.Integer(allow_none=True)
    print_mm = fields.List(
        fields.Float(), allow_none=True, metadata={"description": "width, depth, height of refined.stl"}
    )
    notes = fields.List(fields.String())
    kept_first = fields.List(fields.String(), allow_none=True)
    error = fields.Nested(JobErrorSchema, allow_none=True)


class ConversionSchema(Schema):
    """How a film's conversion fares, and what was asked for. frames: done, of about all; seconds: so far, and about
    left."""

    state = fields.String(validate=validate.OneOf(["waiting", "running", "done", "failed", "cancelled"]))
    layout = fields.String()
    strength = fields.Float(allow_none=True)
    screen = fields.Float(allow_none=True)
    eyes = fields.String()
    limit = fields.String()
    frames = fields.Integer()
    all_ = fields.Integer(data_key="all", allow_none=True)
    seconds = fields.Float()
    seconds_left = fields.Float(allow_none=True)
    notes = fields.List(fields.String())
    error = fields.Nested(JobErrorSchema, allow_none=True)


class JobSchema(Schema):
    """A job: times in UTC, seconds, progress from 0 to 1 (of a refinement, of that alone)."""

    id = fields.String()
    kind = fields.String(validate=validate.OneOf(beginning()), metadata={"description": "what it was made of"})
    title = fields.String()
    state = fields.String(validate=validate.OneOf(["queued", "running", *FINAL]))
    lane = fields.String(validate=validate.OneOf(list(lanes())))
    stage = fields.String(allow_none=True)
    progress = fields.Float(validate=validate.Range(0, 1))
    seq = fields.Integer(metadata={"description": "grows with every change"})
    attempt = fields.Integer()
    queue_position = fields.Integer(allow_none=True)
    eta_s = fields.Float(allow_none=True)
    cancel_requested = fields.Boolean()
    created_at = fields.String()
    started_at = fields.String(allow_none=True)
    finished_at = fields.String(allow_none=True)
    expires_at = fields.String()
    params = fields.Nested(ParamsSchema, metadata={"description": "of a photo; other kinds have their own"})
    origin = fields.String(
        allow_none=True,
        metadata={"description": "the id of the first job of the same upload; null for that one itself"},
    )
    photo = fields.Nested(PhotoSchema, allow_none=True)
    error = fields.Nested(JobErrorSchema, allow_none=True)
    facts = fields.Dict(allow_none=True)
    refinement = fields.Nested(RefinementSchema, allow_none=True)
    conversion = fields.Nested(ConversionSchema, allow_none=True)
    artefacts = fields.List(fields.Nested(ArtefactSchema))
    links = fields.Nested(LinksSchema)
    share_url = fields.String(allow_none=True)


class JobsSchema(Schema):
    """A page of jobs."""

    jobs = fields.List(fields.Nested(JobSchema))
    next = fields.String(allow_none=True)


class ResultsSchema(Schema):
    """Jobs that were made of one upload."""

    jobs = fields.List(fields.Nested(JobSchema))


class IdsSchema(Schema):
    """Which jobs: their ids with commas between them, at most 100."""

    ids = fields.String(
        required=True, validate=validate.Regexp(IDS), metadata={"description": "ids of jobs, by commas"}
    )


class ZipQuerySchema(IdsSchema):
    """Which files of which jobs."""

    files = fields.String(load_default="models", validate=validate.OneOf(["models", "all"]))


class PageQuerySchema(Schema):
    """Which page of jobs, or which ones."""

    ids = fields.String(
        load_default=None,
        validate=validate.Regexp(IDS),
        metadata={"description": "ids of jobs, by commas: these, in this order, but for those that are gone"},
    )

    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100))
    before = fields.String(load_default=None, allow_none=True, metadata={"description": "the id of a job"})


class TokenSchema(Schema):
    """A visitor's token."""

    token = fields.String()


class ShareSchema(Schema):
    """A share link."""

    url = fields.String()


class ProblemSchema(Schema):
    """What every error says."""

    code = fields.String()
    message = fields.String()
    status = fields.Integer()
    fields_ = fields.Dict(data_key="fields")


class ErrorSchema(Schema):
    """An error."""

    error = fields.Nested(ProblemSchema)
