"""Models stay in a worker from one job to the next, while there is memory for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from web.conftest import send

from recon import registry
from recon.models.device import Where
from tests.models import toy_triposr
from web_3d_app.kinds.base import QUICK
from web_3d_app.services import Services
from web_3d_app.work import models, worker
from web_3d_app.work.worker import KindRunner, Worker

MUCH = 2**50


@pytest.fixture
def networks(
    client: FlaskClient, parts: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list]:
    """The network that each of a few jobs in one worker is given, whose every lane asks for TripoSR."""
    folder = toy_triposr.write(tmp_path / "toy")

    def given(warm_mib: int, taken: tuple[int, ...]) -> list:
        found: list = []
        memory = iter(taken)
        monkeypatch.setattr(models, "memory_taken", lambda: next(memory))

        def lane(context: object) -> None:
            maker = registry.object_reconstructor(str(folder), Where("cpu", offline=True))
            assert maker is not None
            found.append(maker.load())

        monkeypatch.setattr(worker, "resolve_name", lambda _: lane)
        runner = KindRunner(replace(parts.settings, warm_mib=warm_mib))
        one = Worker("quick", QUICK, parts.database, parts.storage, 60.0, runner)
        for _ in taken:
            send(client)
            assert one.once()
        return found

    return given


def test_triposr_is_loaded_once_for_all_jobs_of_a_worker(networks: Callable[..., list]) -> None:
    first, second, third = networks(6000, (5 << 30, 5 << 30, 5 << 30))
    assert first is second is third


def test_where_memory_is_short_it_is_loaded_anew(networks: Callable[..., list]) -> None:
    first, second, third = networks(6000, (7 << 30, 1 << 30, 1 << 30))
    assert first is not second and second is third


def test_the_memory_of_this_process_is_known() -> None:
    assert 2**24 < models.memory_taken() < MUCH
