"""Where a model's weights lie, and how to get them.

The order: 1. what the user gave (an argument, or the environment variable `UNFLAT_WEIGHTS_<NAME>`, where dpt-large is
DPT_LARGE: a file, a folder, or the hub id of a mirror); 2. the local model folder (`UNFLAT_MODELS`, by default
~/.cache/unflat/models), in `<name>/` or `<org>--<repo>/`; 3. the Hugging Face cache; 4. the hub, unless offline.

A given path that is not complete is an error, never a reason to look further. `find` reads directories and nothing
else: no network, no heavy import. A hub that does not answer costs less than 3 s once, then nothing for a minute.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

from recon.errors import MissingWeights
from recon.messages import Message, first_line, note
from recon.models.soft_import import need

CONFIG = "config.json"
PROCESSOR = "preprocessor_config.json|processor_config.json"
MODEL = "model.safetensors|pytorch_model.bin"
TRANSFORMERS_FOLDER = (CONFIG, PROCESSOR, MODEL)

HUB_DEADLINE = 2.5  # seconds for the whole question "is the hub there?", names and proxies included; the promise is 3
SILENCE = 60.0  # seconds for which a hub that did not answer is not asked again
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

_silent_since: dict[str, float] = {}


@dataclass(frozen=True)
class WeightsSpec:
    """Which weights are wanted.

    name: ours, also the local folder's; repo: id on the hub, "" for none; files: what makes them complete, with
    alternatives as "a|b"; url: where a single checkpoint file is published, if it is not on the hub (then `files` holds
    its name, and `find` gives the file, else the folder); given: the user's path or hub id, "" for none; also: folders
    where another program keeps the same files, with ~ and $VARIABLES.
    """

    name: str
    repo: str = ""
    files: tuple[str, ...] = TRANSFORMERS_FOLDER
    url: str = ""
    given: str = ""
    revision: str = "main"
    also: tuple[str, ...] = ()


def model_folder() -> Path:
    """The local model folder."""
    return Path(os.environ.get("UNFLAT_MODELS") or Path.home() / ".cache/unflat/models").expanduser()


def hub_cache() -> Path:
    """The Hugging Face cache, by the hub library's own variables (read here so that nothing need be imported)."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("HF_HOME") or cache / "huggingface").expanduser() / "hub"


def hub_endpoint() -> str:
    """The hub's address; `HF_ENDPOINT` names a mirror."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def variable_for(name: str) -> str:
    """The environment variable that overrides where a model's weights come from."""
    return "UNFLAT_WEIGHTS_" + re.sub(r"\W", "_", name).upper()


def resolve(spec: WeightsSpec) -> WeightsSpec:
    """The spec with the user's wish applied: `given` is a path afterwards or empty, a mirror's id becomes `repo`."""
    wish = spec.given or os.environ.get(variable_for(spec.name), "")
    if wish and not Path(wish).expanduser().exists() and HUB_ID.fullmatch(wish):
        return replace(spec, given="", repo=wish, url="")
    return replace(spec, given=wish)


def find(spec: WeightsSpec) -> Path | None:
    """Where complete weights lie on this computer, or None. Never the network."""
    spec = resolve(spec)
    if spec.given:
        return _complete(Path(spec.given).expanduser(), spec)
    folder = model_folder()
    places = [folder / spec.name]
    if spec.repo:
        places += [folder / spec.repo.replace("/", "--"), *_snapshots(spec)]
    places += [Path(os.path.expandvars(place)).expanduser() for place in spec.also]
    return next((found for place in places if (found := _complete(place, spec))), None)


def obtain(spec: WeightsSpec, offline: bool = False) -> Path:
    """Where the weights lie, fetched from the hub if need be; MissingWeights says how to get them."""
    if found := find(spec):
        return found
    spec = resolve(spec)
    if spec.given:
        raise _incomplete(spec)
    if not spec.repo:
        reason = note("weights.not_here", "are not on this computer")
    elif offline or _offline_by_environment():
        reason = note("weights.offline", "are not on this computer and going online is forbidden")
    elif not hub_reachable():
        reason = note("weights.silent_hub", "are not on this computer and {hub} does not answer", hub=hub_endpoint())
    else:
        reason = _download(spec)
        if found := find(spec):
            return found
    raise MissingWeights(
        "weights.missing", "The weights of {model} {reason}; get them with: {command}",
        model=spec.name, reason=reason, command=how_to_get(spec),
    )  # fmt: skip


def how_to_get(spec: WeightsSpec) -> str:
    """The exact command that puts the weights where `find` looks."""
    spec = resolve(spec)
    if spec.url:
        target = model_folder() / spec.name / spec.files[0]
        return f"curl -L --create-dirs -o {shlex.quote(str(target))} {spec.url}"
    return f"hf download {spec.repo}" if spec.repo else f"export {variable_for(spec.name)}=PATH"


def hub_reachable(deadline: float = HUB_DEADLINE) -> bool:
    """Whether the hub answers at all within `deadline` seconds (asked in a thread: name look-ups cannot be timed)."""
    endpoint = hub_endpoint()
    if time.monotonic() - _silent_since.get(endpoint, -SILENCE) < SILENCE:
        return False
    answer: list[bool] = []
    thread = threading.Thread(target=lambda: answer.append(_knock(endpoint, deadline)), daemon=True)
    thread.start()
    thread.join(deadline)
    if answer == [True]:
        _silent_since.pop(endpoint, None)
        return True
    _silent_since[endpoint] = time.monotonic()
    return False


def _knock(endpoint: str, deadline: float) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=deadline).close()
        return True
    except urllib.error.HTTPError as error:
        return error.code < 500 and error.code != 407  # 407 and 5xx come from a proxy that cannot reach it
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _download(spec: WeightsSpec) -> Message:
    """Fetch what `files` names into the hub's cache; returns why the weights are still missing, should they be."""
    hub = need("huggingface_hub", "huggingface_hub", note("purpose.fetching", "Fetching {model}", model=spec.name))
    patterns = [name for item in spec.files for name in _patterns(item)]
    try:
        for wanted in (patterns, ["pytorch_model*.bin", "pytorch_model.bin.index.json"]):
            hub.snapshot_download(
                spec.repo,
                revision=spec.revision,
                allow_patterns=wanted,
                cache_dir=hub_cache(),
                endpoint=hub_endpoint(),
            )
            if find(spec):
                break
    except Exception as error:
        return note(
            "weights.not_fetched", "could not be fetched from {repo} at {hub} ({reason})",
            repo=spec.repo, hub=hub_endpoint(), reason=first_line(error),
        )  # fmt: skip
    return note("weights.torn_hub", "are incomplete in {repo} at {hub}", repo=spec.repo, hub=hub_endpoint())


def _patterns(item: str) -> list[str]:
    """What to fetch for one item of `files`; a pickle only where no safetensors come."""
    if item == MODEL:
        return ["model*.safetensors", "model.safetensors.index.json"]
    return item.split("|")


def _offline_by_environment() -> bool:
    asked = (os.environ.get(name, "").lower() for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return any(value in ("1", "true", "yes", "on") for value in asked)


def _snapshots(spec: WeightsSpec) -> list[Path]:
    """The revision's snapshot in the hub cache: refs/<revision> holds the commit, snapshots/<commit> the files."""
    root = hub_cache() / ("models--" + spec.repo.replace("/", "--"))
    try:
        commit = (root / "refs" / spec.revision).read_text().strip()
    except OSError:
        return []
    return [root / "snapshots" / commit] if commit else []


def _complete(place: Path, spec: WeightsSpec) -> Path | None:
    """`place` if it holds everything (for a single checkpoint: that file), else None."""
    if spec.url or len(spec.files) == 1:
        file = place if place.is_file() else place / spec.files[0]
        return file if _is_there(file) else None
    return place if not _lacking(place, spec) else None


def _lacking(place: Path, spec: WeightsSpec) -> list[str]:
    return [item for item in spec.files if not any(_has(place / name) for name in item.split("|"))]


def _has(file: Path) -> bool:
    """A file, or all the shards that stand in its index. A dangling link or an empty file does not count."""
    if _is_there(file):
        return True
    index = file.with_name(file.name + ".index.json")
    try:
        shards = set(json.loads(index.read_text())["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False
    return bool(shards) and all(_is_there(file.with_name(shard)) for shard in shards)


def _is_there(file: Path) -> bool:
    try:
        return file.is_file() and file.stat().st_size > 0
    except OSError:
        return False


def _incomplete(spec: WeightsSpec) -> MissingWeights:
    place, command = Path(spec.given).expanduser(), how_to_get(replace(spec, given=""))
    if not place.exists():
        return MissingWeights(
            "weights.no_place",
            "The weights of {model} were to come from {place}, which does not exist; get them with: {command}",
            model=spec.name, place=spec.given, command=command,
        )  # fmt: skip
    return MissingWeights(
        "weights.incomplete",
        "The weights of {model} were to come from {place}, which lacks {files}; get them with: {command}",
        model=spec.name, place=spec.given, command=command,
        files=" and ".join(item.replace("|", " or ") for item in _lacking(place, spec)),
    )  # fmt: skip
