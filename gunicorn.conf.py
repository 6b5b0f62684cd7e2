"""gunicorn's settings: one process (SQLite, rate limits and metrics are its own) with many threads; no preload, because
threads and workers belong to the process that serves."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from web_3d_app.settings import Settings

_settings = Settings.from_env()
bind = f"{_settings.host}:{_settings.port}"
worker_class = "web_3d_app.http.connections.PatientWorker"
workers = 1
threads = (
    _settings.max_streams + _settings.max_bodies + 24
)  # an event stream holds one, an upload too; pages need a few
timeout = 60  # a sign of life of the process, not a limit of requests
graceful_timeout = int(_settings.grace_seconds) + 10  # docs/server.md: whoever stops the service must wait longer
keepalive = 5
forwarder_headers = ""  # SCRIPT_NAME comes from the environment, or from a configured proxy as X-Forwarded-Prefix
forwarded_allow_ips = ""  # X-Forwarded-… is believed with UNFLAT_PROXIES only, by Werkzeug's ProxyFix
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True  # it would lie in the home folder, and nobody asks it
preload_app = False
if os.path.isdir("/dev/shm"):
    worker_tmp_dir = "/dev/shm"
loglevel = "warning"


def when_ready(server: Any) -> None:
    """Print the address once the socket listens."""
    host = "localhost" if _settings.host in ("0.0.0.0", "::", "127.0.0.1") else _settings.host
    port = server.LISTENERS[0].sock.getsockname()[1]  # with UNFLAT_PORT=0 the system chooses a free one
    print(f"Unflat is at http://{host}:{port}{os.environ.get('SCRIPT_NAME', '')}", flush=True)


def post_worker_init(worker: Any) -> None:
    """Make the decoders warm; let event streams, uploads that wait and workers end as soon as the process is to stop,
    beside the requests that are under way; gunicorn has no hook for that moment."""
    parts = worker.app.callable.extensions["unflat"]
    parts.decoders.start()

    def wait() -> None:
        while worker.alive:
            time.sleep(0.2)
        parts.ending.set()
        parts.keeper.stop()
        parts.engine.stop()
        parts.decoders.close()

    threading.Thread(target=wait, daemon=True).start()


def worker_exit(server: Any, worker: Any) -> None:
    """Wait for the engine: its jobs go back to the table."""
    found = getattr(worker.app, "callable", None)
    if found is not None:
        parts = found.extensions["unflat"]
        parts.keeper.stop()
        parts.engine.stop()
