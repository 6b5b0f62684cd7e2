"""The steps from a photo, or a folder of photos, to models, pictures and films, each called by itself.

    from recon.runtime import Runtime
    runtime = Runtime()
    runtime.set_variables(input_path="cup.jpg", output_path="output")
    runtime.initialize()
    runtime.img_process()   # output/images: the photo without its background, its depth
    runtime.modelRun()
    runtime.render()        # output/renderfiles: 30 views, and a film
    runtime.export_mesh()   # output/3dfiles: the whole object, the points, the smooth mesh

A thin face over `recon.pipeline`: whole objects by TripoSR where its weights are here, else by the built-in networks; depth
by GLPN where it is here, else by the built-in network. The names `initilize` and `modelRun` are those of the DIF3D project.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import BadInput, BadOption, MissingModel, UnflatError
from recon.io.album import model_names, photos_in
from recon.io.files import check_writable, write_bytes
from recon.io.film import write_film
from recon.io.write import write_cloud, write_depth, write_mesh
from recon.messages import PYTHON
from recon.models.device import pick_device
from recon.models.triposr.adapter import TripoSR
from recon.options import PhotoOptions, changed
from recon.pipeline import reconstruct
from recon.protocols import ObjectReconstructor
from recon.registry import (
    SOLID,
    Where,
    check_object,
    depth_estimator,
    gpu_is_likely,
    how_to_get_objects,
    listing,
    models_kept,
    object_reconstructor,
)
from recon.results import Reconstruction
from recon.runtime.pictures import depth_picture, save_picture, subject_alone
from recon.runtime.variables import Variables
from recon.settings import ObjectSettings, OrbitSettings
from recon.stages.whole_object import find_object
from recon.types import Mesh, PointCloud

STEPS = ("set_variables", "initialize", "img_process", "modelRun")
"""In the order in which they are called; `render` and `export_mesh` come after all of them, in any order."""
GLPN = "glpn-nyu"
SHOWN = 2
"""How often each view is shown in the film: thirty of them take two and a half seconds."""


@dataclass
class _Work:
    """One photo's. name: what its results are called; whole: its subject, or the scene, all round; seen: what the photo
    shows, by the depth model of the cloud."""

    photo: Path
    name: str
    whole: Reconstruction | None = None
    seen: Reconstruction | None = None
    mesh: Mesh | None = None
    points: PointCloud | None = None
    smooth: Mesh | None = None


class Runtime:
    """The steps, in their order. tell: hears each line of the log, which is kept in `log` and in output_path/runtime.log.

    failed: why photos of a folder have failed, by their names; the rest goes on without them. files: all that was written.
    """

    def __init__(self, tell: Callable[[str], None] = print) -> None:
        self._tell = tell
        self.log: list[str] = []
        self.files: list[Path] = []
        self.failed: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.device = ""
        self._done: list[str] = []
        self._work: list[_Work] = []
        self._variables: Variables | None = None

    @property
    def variables(self) -> Variables:
        """Those that were set. Raises BadInput where none were."""
        self._after("set_variables", "variables")
        assert self._variables is not None
        return self._variables

    def set_variables(self, **given: Any) -> Runtime:
        """Set what `Variables` lists; `input_path` is needed, the rest has defaults. All steps begin anew then.

        Raises BadOption: which variable, what came, what is allowed."""
        base = {"input_path": given["input_path"]} if "input_path" in given else {}
        self._variables = changed(Variables, Variables(**base), given)
        self._done, self._work = ["set_variables"], []
        self.log, self.files, self.failed, self.seconds = [], [], {}, {}
        return self

    def initialize(self) -> Runtime:
        """Choose the device and the models, find the photos, and see that results can be written. Raises UnflatError."""
        self._after("set_variables", "initialize")
        given, source = self.variables, Path(self.variables.input_path)
        with self._timed("initialize"):
            photos = photos_in(source) if source.is_dir() else [source]
            self._work = [_Work(*both) for both in zip(photos, model_names(photos), strict=True)]
            check_writable(self._folder("images") / "runtime.log")
            self.device = pick_device(given.device) if given.device != "auto" or gpu_is_likely() else "cpu"
            self._options = PhotoOptions(
                surface="solid", object=self._object_model(), device=self.device, offline=given.offline
            )
            self._seen_options = replace(self._options, depth_model=self._depth_model())
            self._say(given.told())
            self._say(f"{len(photos)} photo{'s' * (len(photos) != 1)}, on {self.device}; whole objects by {self._maker()},"
                      f" depth by {self._seen_options.depth_model}")  # fmt: skip
        self._done = [*STEPS[:2]]
        return self

    initilize = initialize

    def img_process(self) -> Runtime:
        """Find each photo's subject and its depth; leaves output/images. A bad photo of a folder is left out."""
        self._after("initialize", "img_process")
        with self._timed("img_process"), models_kept():
            self._each(self._process)
        self._done = [*STEPS[:3]]
        return self

    def modelRun(self) -> Runtime:
        """Make each photo's closed model, its point cloud without outliers, and its smooth Poisson mesh."""
        self._after("img_process", "modelRun")
        with self._timed("modelRun"), models_kept():
            self._each(self._model)
        self._done = [*STEPS]
        return self

    def render(self) -> Runtime:
        """Look at each closed model from all sides; leaves output/renderfiles."""
        self._after("modelRun", "render")
        with self._timed("render"):
            self._each(self._render)
        return self

    def export_mesh(self) -> Runtime:
        """Write the models; leaves output/3dfiles."""
        self._after("modelRun", "export_mesh")
        with self._timed("export_mesh"):
            self._each(self._export)
        return self

    def result(self, name: str | None = None) -> Reconstruction:
        """The reconstruction of a photo, by what its results are called; of the only or first one unless told. Raises
        BadInput."""
        self._after("img_process", "result")
        found = next((work.whole for work in self._work if name in (None, work.name)), None)
        if found is None:
            raise BadInput("runtime.no_result", "there is no result called {name!r}; there are {names}.",
                           name=str(name), names=", ".join(work.name for work in self._work))  # fmt: skip
        return found

    def _after(self, wanted: str, step: str) -> None:
        """Raise BadInput where a step is called before the one that it needs."""
        if wanted not in self._done:
            missing = next(each for each in STEPS if each not in self._done)
            raise BadInput(
                "runtime.order", "{step} needs {wanted}(); the next step is {missing}().",
                step=step, wanted=wanted, missing=missing,
            )  # fmt: skip

    def _each(self, act: Callable[[_Work], None]) -> None:
        """Do a step with each photo; one that fails is left out from then on, the last of them raises its error."""
        for work in list(self._work):
            start = time.perf_counter()
            try:
                act(work)
            except UnflatError as error:
                self._work.remove(work)
                self.failed[work.photo.name] = error.message.text(PYTHON)
                self._say(f"  {work.photo.name}: {self.failed[work.photo.name]}")
                if not self._work:
                    raise
            else:
                self._say(f"  {work.photo.name}: {time.perf_counter() - start:.2f} s")

    def _process(self, work: _Work) -> None:
        work.whole = reconstruct(work.photo, self._options)
        if self._seen_options.depth_model == work.whole.depth.model:
            work.seen = work.whole
        else:
            work.seen = reconstruct(work.photo, self._seen_options)
        work.seen = self._without_border(work.seen)
        folder, depth = self._folder("images"), work.seen.depth
        alone, shown, exact = (folder / f"{work.name}{end}" for end in (".png", "_depth.png", "_depth.npy"))
        save_picture(subject_alone(work.whole.photo, work.whole.mask, self.variables.foreground_ratio), alone)
        save_picture(depth_picture(depth), shown)
        write_depth(depth, exact)
        self.files += [alone, shown, exact]

    def _model(self, work: _Work) -> None:
        assert work.whole is not None and work.seen is not None
        made, inside = self._options.object, work.whole.mask.inside
        if isinstance(made, ObjectReconstructor) and inside is not None:
            resolution = ObjectSettings(resolution=self.variables.mc_resolution)
            vars(work.whole)["whole"] = find_object(made, work.whole.photo, work.whole.mask, resolution)
        work.mesh = work.whole.mesh
        work.points = work.seen.points
        work.smooth = work.seen.with_options(surface="poisson").mesh
        for told in work.whole.notes:
            self._say(f"  {work.photo.name}: {told.text(PYTHON)}")

    def _render(self, work: _Work) -> None:
        assert work.whole is not None
        given, folder = self.variables, self._folder("renderfiles")
        if len(self._work) + len(self.failed) > 1:
            folder /= work.name
        seen = OrbitSettings(given.views, float(given.elevation), given.distance)
        frames = list(work.whole.draw_views(seen))
        names = [folder / f"render_{i:03}.png" for i in range(len(frames))]
        for frame, name in zip(frames, names, strict=True):
            save_picture(frame, name)
        film = folder / "render.mp4"
        write_film(film, (frame for frame in frames for _ in range(SHOWN)))
        self.files += [*names, film]

    def _export(self, work: _Work) -> None:
        assert work.mesh is not None and work.points is not None and work.smooth is not None
        folder = self._folder("3dfiles")
        self.files += write_mesh(work.mesh, folder / f"{work.name}.{self.variables.model_save_format}")
        self.files += write_cloud(work.points, folder / f"{work.name}_points.ply")
        self.files += write_mesh(work.smooth, folder / f"{work.name}_poisson.ply")

    def _without_border(self, found: Reconstruction) -> Reconstruction:
        """The same without the depth at the photo's border, where networks guess; a small photo loses an eighth at most."""
        pad = min(self.variables.padding, min(found.photo.size) // 8)
        z = found.depth.z.copy()
        inner = np.zeros(z.shape, bool)
        inner[pad : z.shape[0] - pad, pad : z.shape[1] - pad] = True
        z[~inner] = np.nan
        geometry = replace(found.geometry, depth=replace(found.depth, z=z))
        return Reconstruction(geometry, found.options)

    def _object_model(self) -> Any:
        """TripoSR, or another object model, told of the variables; the built-in solid where none is to be had, which is
        said. Raises BadOption for a name that is no model's."""
        given = self.variables
        if not isinstance(given.pretrained_model, str):
            return given.pretrained_model
        name, where = given.pretrained_model, Where(self.device, given.offline)
        if name in ("builtin", SOLID):
            return SOLID
        try:
            check_object(name, where)
        except BadOption as error:
            raise self._no_model("pretrained_model", error) from None
        except MissingModel as error:
            self._say(f"{error.message.text(PYTHON)} Until then the built-in solid stands for it.")
            return SOLID
        found = object_reconstructor(name, where)
        if found is None:
            self._say(f"no object model's weights are here ({how_to_get_objects()}); the built-in solid stands for it")
            return SOLID
        if isinstance(found, TripoSR):
            found.filled, found.chunk = float(given.foreground_ratio), given.chunk_size
        return found

    @staticmethod
    def _no_model(variable: str, error: BadOption) -> BadOption:
        """The same by the variable's own name."""
        given, known = error.message.values["given"], error.message.values["known"]
        return BadOption(
            "runtime.unknown_model",
            "<{option}> {given!r} is unknown; give auto, builtin, one of {known}, a folder of such weights, or a hub id"
            " like org/name.",
            option=variable, given=given, known=known,
        )  # fmt: skip

    def _maker(self) -> str:
        made = self._options.object
        return "the built-in solid" if made == SOLID else str(made.name)

    def _depth_model(self) -> Any:
        asked = self.variables.depth_model
        if asked != "auto":
            if isinstance(asked, str):
                depth_estimator(asked, Where(self.device, self.variables.offline))  # a wrong name is told now
            return asked
        return next((GLPN for line in listing("depth") if line.card.name == GLPN and line.runs), "builtin")

    def _folder(self, name: str) -> Path:
        return Path(self.variables.output_path) / name

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        """A step of the log, with its seconds; what is done in it is in the file too, even if it fails."""
        start = time.perf_counter()
        self._say(f"{step} …")
        try:
            yield
            self.seconds[step] = round(time.perf_counter() - start, 3)
            self._say(f"{step} took {self.seconds[step]:.2f} s")
        finally:
            log = Path(self.variables.output_path) / "runtime.log"
            if log.parent.is_dir() or step != "initialize":
                write_bytes(log, "\n".join([*self.log, ""]).encode(errors="backslashreplace"))

    def _say(self, line: str) -> None:
        self.log.append(line)
        self._tell(line)


__all__ = ["Runtime", "Variables"]
