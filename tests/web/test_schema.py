"""The API is as its own OpenAPI document says, by schemathesis: requests that follow from the document, right and wrong,
to a real server with jobs in several states."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from web.pictures import small_photo

from bench.server import ROOT, Server

CONFIG = """
[dictionaries]
jobs = {{ values = {jobs} }}
tokens = {{ values = ["{token}", "unknown"] }}
names = {{ values = ["photo.jpg", "mesh.glb"] }}

[parameters]
"path.job_id" = {{ dictionary = "jobs", probability = 0.9 }}
"path.token" = {{ dictionary = "tokens", probability = 0.9 }}
"path.name" = {{ dictionary = "names", probability = 0.9 }}

# what the document cannot say: that one of two fields must be there, and that bytes are a photo
[[operations]]
include-name = "POST /api/v1/jobs"
checks.positive_data_acceptance.expected-statuses = ["202", "400", "409", "413", "415", "422"]

# the same of a film
[[operations]]
include-name = "POST /api/v1/films"
checks.positive_data_acceptance.expected-statuses = ["202", "400", "409", "413", "415", "422"]

# what is deleted is gone; what an operation needs may not be so
[[operations]]
include-path-regex = "/api/v1/jobs/.*"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "404", "409", "410", "416", "422", "503"]
checks.negative_data_rejection.expected-statuses = [
    "400", "401", "403", "404", "405", "406", "409", "410", "415", "422", "428", "429", "5xx",  # its own, and gone
]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(
        tmp_path / "data", UNFLAT_ENGINE="none", UNFLAT_STREAM_SECONDS="0.2", UNFLAT_MIN_FREE_MIB="0",
        UNFLAT_MAX_QUEUED="1000000", UNFLAT_MAX_QUEUED_EACH="1000000",
        UNFLAT_MAX_REFINEMENTS="1000000", UNFLAT_MAX_REFINEMENTS_EACH="1000000",
    )  # fmt: skip
    yield server
    server.stop()


@pytest.mark.slow
def test_the_api_does_what_its_document_says(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("schemathesis", reason="pip install schemathesis")
    client = server.client()
    jobs = [client.upload(small_photo(i)).json for i in range(6)]
    client.post(jobs[0]["links"]["cancel"])
    token = client.post(jobs[1]["links"]["share"]).json["url"].rpartition("/")[2]
    ids = str([job["id"] for job in jobs]).replace("'", '"')
    (tmp_path / "schemathesis.toml").write_text(CONFIG.format(jobs=ids, token=token))
    told = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "--config-file", tmp_path / "schemathesis.toml", "run",
            f"http://127.0.0.1:{server.port}/api/v1/openapi.json", "--header", f"Authorization: Bearer {client.token}",
            "--max-examples", "40", "--seed", "1", "--continue-on-failure", "--no-color", "--generation-database", "none",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    log = (server.data / "server.log").read_text()
    assert told.returncode == 0, told.stdout[-8000:] + told.stderr[-2000:]
    assert "Traceback" not in log and " status=500" not in log
    assert client.get("/healthz").status == 200 and str(ROOT) not in told.stdout
