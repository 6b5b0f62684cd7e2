"""Where weights are looked for, in which order, and what it costs and says when they are not there."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recon.errors import MissingWeights
from recon.models import weights
from recon.models.weights import WeightsSpec, find, how_to_get, obtain

SPEC = WeightsSpec("dpt-large", "Intel/dpt-large")
FILES = ("config.json", "preprocessor_config.json", "model.safetensors")


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or FILES:
        (folder / name).write_text("{}")
    return folder


def cached(cache: Path, repo: str = "Intel/dpt-large", commit: str = "c0ffee") -> Path:
    root = cache / ("models--" + repo.replace("/", "--"))
    (root / "refs").mkdir(parents=True, exist_ok=True)
    (root / "refs/main").write_text(commit)
    return fill(root / "snapshots" / commit)


def forbid_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", no)
    monkeypatch.setattr(socket, "getaddrinfo", no)
    monkeypatch.setattr(socket, "create_connection", no)


def test_the_order_of_places(empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place is found alone, and each next place outranks the one before."""
    forbid_sockets(monkeypatch)
    assert find(SPEC) is None
    places = [
        cached(empty_home / ".cache/huggingface/hub"),
        fill(empty_home / ".cache/unflat/models/Intel--dpt-large"),
        fill(empty_home / ".cache/unflat/models/dpt-large"),
    ]
    for place in places:
        place.rename(place.with_name("away-" + place.name))
    for place in places:
        place.with_name("away-" + place.name).rename(place)
        assert find(SPEC) == place
    from_environment = fill(tmp_path / "environment")
    monkeypatch.setenv("UNFLAT_WEIGHTS_DPT_LARGE", str(from_environment))
    assert find(SPEC) == from_environment
    from_argument = fill(tmp_path / "argument")
    asked = WeightsSpec("dpt-large", "Intel/dpt-large", given=str(from_argument))
    assert find(asked) == obtain(asked, offline=True) == from_argument


@pytest.mark.parametrize(
    ("variable", "below"),
    [("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", ""), ("HF_HOME", "hub"), ("XDG_CACHE_HOME", "huggingface/hub")],
)
def test_the_hub_cache_is_where_the_hub_library_keeps_it(
    variable: str, below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = cached(tmp_path / "cache" / below)
    monkeypatch.setenv(variable, str(tmp_path / "cache"))
    assert find(SPEC) == place
    told = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    theirs = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert Path(theirs.stdout.strip()) == weights.hub_cache()


def test_a_model_folder_elsewhere_and_a_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path / "models"))
    place = fill(tmp_path / "models/someone--mirror")
    assert find(SPEC) is None
    monkeypatch.setenv("UNFLAT_WEIGHTS_DPT_LARGE", "someone/mirror")
    assert find(SPEC) == place
    assert how_to_get(SPEC) == "hf download someone/mirror"


def test_what_is_torn_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path))
    place = fill(tmp_path / "dpt-large", "config.json", "preprocessor_config.json")
    assert find(SPEC) is None
    (place / "model.safetensors").touch()
    assert find(SPEC) is None, "an empty file"
    (place / "model.safetensors").unlink()
    (place / "model.safetensors").symlink_to(tmp_path / "blob that was never fetched")
    assert find(SPEC) is None, "a dangling link, as an interrupted download leaves it"
    (place / "pytorch_model.bin").write_text("x")
    assert find(SPEC) == place
    (place / "pytorch_model.bin").unlink()
    index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    fill(place, "model-1-of-2.safetensors")
    assert find(SPEC) is None, "one shard of two"
    fill(place, "model-2-of-2.safetensors")
    assert find(SPEC) == place


def test_a_given_path_that_is_not_complete_is_an_error(tmp_path: Path, empty_home: Path) -> None:
    cached(empty_home / ".cache/huggingface/hub")  # complete, but not what was asked for
    for given, words in ((tmp_path / "nowhere", "does not exist"), (fill(tmp_path / "half", "config.json"), "lacks")):
        asked = WeightsSpec("dpt-large", "Intel/dpt-large", given=str(given))
        assert find(asked) is None
        with pytest.raises(MissingWeights, match=words) as raised:
            obtain(asked)
        assert str(raised.value).endswith("hf download Intel/dpt-large")


def test_single_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path / "models"))
    spec = WeightsSpec("sam-vit-b", files=("sam.pth",), url="https://example.org/sam.pth")
    with pytest.raises(MissingWeights) as raised:
        obtain(spec)
    target = tmp_path / "models/sam-vit-b/sam.pth"
    assert str(raised.value).endswith(f"curl -L --create-dirs -o {target} https://example.org/sam.pth")
    fill(target.parent, "sam.pth")
    assert find(spec) == target
    renamed = fill(tmp_path, "mine.pth") / "mine.pth"
    monkeypatch.setenv("UNFLAT_WEIGHTS_SAM_VIT_B", str(renamed))
    assert find(spec) == renamed


def test_the_other_programs_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = WeightsSpec("u2", files=("u2.onnx",), url="https://example.org/u2.onnx", also=("$U2NET_HOME", "~/.u2net"))
    assert find(spec) is None
    fill(tmp_path / "home/.u2net", "u2.onnx")
    assert find(spec) == tmp_path / "home/.u2net/u2.onnx"
    monkeypatch.setenv("U2NET_HOME", str(fill(tmp_path / "there", "u2.onnx")))
    assert find(spec) == tmp_path / "there/u2.onnx"


@pytest.mark.parametrize("by", ["argument", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_touches_no_socket(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_sockets(monkeypatch)
    if by != "argument":
        monkeypatch.setenv(by, "1")
    with pytest.raises(MissingWeights) as raised:
        obtain(SPEC, offline=by == "argument")
    message = str(raised.value)
    assert message.count("\n") == 0 and message.endswith("hf download Intel/dpt-large")


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_hub_that_never_answers_costs_less_than_3_s_in_total(
    silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", silent_server)
    start = time.perf_counter()
    for spec in (SPEC, WeightsSpec("other", "org/other"), WeightsSpec("third", "org/third")):
        with pytest.raises(MissingWeights, match="does not answer; get them with: hf download"):
            obtain(spec)
    assert time.perf_counter() - start < 3


def test_a_name_look_up_that_hangs_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def hang(*_: object, **__: object) -> None:
        answered.wait(20)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.perf_counter()
    assert not weights.hub_reachable(deadline=0.3)
    assert time.perf_counter() - start < 1
    answered.set()


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "not an address"])
def test_a_refused_connection_costs_nothing(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    start = time.perf_counter()
    assert not weights.hub_reachable()
    assert time.perf_counter() - start < 1


Hub = Callable[[dict[str, bytes]], str]


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A small real server that speaks as much of the hub's language as a download needs."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def serve(files: dict[str, bytes]) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(files))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def _handler(files: dict[str, bytes]) -> type[http.server.BaseHTTPRequestHandler]:
    commit = "0123456789abcdef0123456789abcdef01234567"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self, code: int, body: bytes, **headers: str) -> None:
            self.send_response(code)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            siblings = [{"rfilename": name} for name in files]
            name = path.rpartition("/")[2]
            if path == "/":
                self.reply(200, b"")
            elif path.startswith("/api/models/org/toy/tree/"):
                tree = [{"type": "file", "path": n, "size": len(b), "oid": n} for n, b in files.items()]
                self.reply(200, json.dumps(tree).encode(), Content_Type="application/json")
            elif path.startswith("/api/models/org/toy"):
                body = {"id": "org/toy", "sha": commit, "siblings": siblings}
                self.reply(200, json.dumps(body).encode(), Content_Type="application/json")
            elif path.startswith("/org/toy/resolve/") and name in files:
                self.reply(200, files[name], ETag=f'"{name}"', X_Repo_Commit=commit)
            else:
                self.reply(404, b"", X_Error_Code="RepoNotFound")

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def test_weights_come_from_the_hub_and_then_from_the_cache(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = WeightsSpec("toy", "org/toy")
    files = {name: name.encode() for name in (*FILES, "pytorch_model.bin", "README.md")}
    monkeypatch.setenv("HF_ENDPOINT", hub(files))
    place = obtain(spec)
    assert sorted(file.name for file in place.iterdir()) == sorted(FILES), "safetensors only, nothing else"
    assert (place / "model.safetensors").read_bytes() == b"model.safetensors"
    forbid_sockets(monkeypatch)
    assert obtain(spec, offline=True) == place


def test_a_pickle_is_fetched_only_where_there_is_nothing_better(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("config.json", "preprocessor_config.json", "pytorch_model.bin")
    monkeypatch.setenv("HF_ENDPOINT", hub({name: name.encode() for name in names}))
    assert {file.name for file in obtain(WeightsSpec("toy", "org/toy")).iterdir()} == set(names)


def test_a_repository_that_is_gone_is_one_sentence(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub({}))
    with pytest.raises(MissingWeights, match="could not be fetched from org/gone") as raised:
        obtain(WeightsSpec("gone", "org/gone"))
    assert str(raised.value).endswith("hf download org/gone")
    with pytest.raises(MissingWeights, match="are incomplete in org/toy"):
        obtain(WeightsSpec("toy", "org/toy"))
