"""Every setting of the server: one frozen dataclass, read once from the environment.

The variable of a field is UNFLAT_ and its name in capitals (`max_mib`: UNFLAT_MAX_MIB), but for SECRET_KEY and
SECRET_KEY_FALLBACKS. docs/server.md has the table.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
PLAIN_NAMES = ("secret_key", "secret_key_fallbacks")


@dataclass(frozen=True)
class Settings:
    """What a server can be told. Every field carries its variable's meaning and unit as `metadata["about"]`."""

    env: str = field(default="development", metadata={"about": "`development` or `production`"})
    host: str = field(default="127.0.0.1", metadata={"about": "address to listen at"})
    port: int = field(default=8000, metadata={"about": "port to listen at; 0: a free one"})
    data: str = field(default="out/server", metadata={"about": "folder of the database, the key and the files"})
    database: str = field(default="", metadata={"about": "SQLAlchemy URL (default: SQLite in the data folder)"})
    storage: str = field(
        default="", metadata={"about": "fsspec URL of the files (default: a folder in the data folder)"}
    )
    secret_key: str = field(
        default="", metadata={"about": "signs cookies; made and kept in development, else required"}
    )
    secret_key_fallbacks: tuple[str, ...] = field(default=(), metadata={"about": "earlier keys, while one is replaced"})
    trusted_hosts: tuple[str, ...] = field(
        default=LOCAL_HOSTS, metadata={"about": "host names that requests may carry"}
    )
    https: bool = field(default=False, metadata={"about": "1 behind a proxy with TLS: secure cookies, HSTS"})
    proxies: int = field(default=0, metadata={"about": "how many proxies in front set X-Forwarded headers"})
    max_mib: int = field(default=32, metadata={"about": "largest upload in MiB"})
    max_megapixels: float = field(default=120.0, metadata={"about": "largest photo in megapixels"})
    max_film_mib: int = field(default=512, metadata={"about": "largest film in MiB"})
    max_film_minutes: float = field(default=20.0, metadata={"about": "longest film in minutes"})
    decoders: int = field(default=2, metadata={"about": "photos that are decoded at a time, one of each visitor"})
    decode_seconds: float = field(default=40.0, metadata={"about": "seconds that a photo may take to be decoded"})
    min_rate: float = field(default=16.0, metadata={"about": "KiB per second; an upload that is slower is cut"})
    slow_seconds: float = field(default=10.0, metadata={"about": "seconds in which an upload may be slower than that"})
    expiry_hours: float = field(default=24.0, metadata={"about": "hours until a job and its files are deleted"})
    max_queued: int = field(default=200, metadata={"about": "waiting jobs of all; beyond, 503"})
    max_queued_each: int = field(default=20, metadata={"about": "waiting and running jobs of one visitor; beyond, 429"})
    max_refinements: int = field(default=50, metadata={"about": "waiting refinements of all; beyond, 503"})
    max_refinements_each: int = field(
        default=3, metadata={"about": "waiting and running refinements of one visitor; beyond, 429"}
    )
    min_free_mib: int = field(
        default=500, metadata={"about": "free disk space below which uploads are answered with 507"}
    )
    create_rate: str = field(default="60/minute", metadata={"about": "uploads per client address; `none`: no limit"})
    max_bodies: int = field(
        default=64, metadata={"about": "requests that send something at a time; beyond, 503; a third for one visitor"}
    )
    max_streams: int = field(default=40, metadata={"about": "event streams at a time; beyond, clients poll"})
    max_streams_each: int = field(
        default=8, metadata={"about": "event streams of one visitor at a time; of one address five eighths of all"}
    )
    stream_seconds: float = field(default=60.0, metadata={"about": "seconds after which an event stream ends"})
    lease_seconds: float = field(
        default=60.0, metadata={"about": "seconds without a heartbeat until a job is given away"}
    )
    job_seconds: float = field(
        default=900.0, metadata={"about": "seconds that a worker may take for one lane of a job, refinements aside"}
    )
    refine_seconds: float = field(
        default=14400.0, metadata={"about": "seconds that a worker may take for one try of a refinement"}
    )
    refine_steps: int = field(
        default=0, metadata={"about": "steps of each stage of a refinement at most; 0: as many as it has"}
    )
    refine_threads: int = field(
        default=1, metadata={"about": "processor threads of a refinement; more are slower beside other work"}
    )
    preview_seconds: float = field(
        default=10.0, metadata={"about": "seconds that a drawn preview is waited for; 0: none is drawn"}
    )
    film_seconds: float = field(
        default=120.0, metadata={"about": "seconds that the parallax film may take; 0: none is made"}
    )
    convert_seconds: float = field(
        default=43200.0, metadata={"about": "seconds that a worker may take for one try of a film's conversion"}
    )
    warm_mib: int = field(
        default=6000,
        metadata={
            "about": "MiB of memory up to which a worker keeps its models between jobs; one that has more loads them anew"
        },
    )
    grace_seconds: float = field(default=10.0, metadata={"about": "seconds that a worker has to stop by itself"})
    max_tries: int = field(default=3, metadata={"about": "tries of a job whose worker dies"})
    engine: str = field(default="local", metadata={"about": "`local` (workers of this server) or `none`"})
    device: str = field(default="auto", metadata={"about": "`auto`, `cpu` or `cuda`"})
    metrics: str = field(default="local", metadata={"about": "who may read /metrics: `local`, `all` or `none`"})
    log: str = field(default="", metadata={"about": "`json` or `text` (default: json in production)"})

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment. Raises ValueError with one sentence for a value that cannot be used."""
        given = {
            f.name: _parsed(variable_of(f.name), environment[variable_of(f.name)], f.default)
            for f in fields(cls)
            if environment.get(variable_of(f.name), "") != ""
        }
        return cls(**given).checked()

    def checked(self) -> Settings:
        """The same, if its words are known ones. Raises ValueError."""
        allowed = {"env": ("development", "production"), "engine": ("local", "none"), "log": ("", "json", "text"),
                   "metrics": ("local", "all", "none"), "device": ("auto", "cpu", "cuda")}  # fmt: skip
        for name, words in allowed.items():
            if getattr(self, name) not in words:
                known = ", ".join(word for word in words if word)
                raise ValueError(f"{variable_of(name)} is {getattr(self, name)!r}; give one of {known}.")
        if self.refine_threads < 1:
            name = variable_of("refine_threads")
            raise ValueError(f"{name} is {self.refine_threads}; give a number of processor threads, at least 1.")
        return self

    def with_secret(self) -> Settings:
        """The same with a key: the given one, or in development one that is made once and kept in the data folder.
        Raises ValueError in production without a key."""
        if self.secret_key:
            return self
        if self.env == "production":
            raise ValueError(
                "SECRET_KEY is not set; make one with: python -c 'import secrets; print(secrets.token_hex())'"
            )
        path = self.folder / "secret_key"
        if not path.exists():
            aside = path.with_name(f".{secrets.token_hex(8)}")
            with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            os.replace(aside, path)
        return replace(self, secret_key=path.read_text())

    @property
    def folder(self) -> Path:
        """The data folder, made if it is missing."""
        path = Path(self.data).expanduser().resolve()
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def database_url(self) -> str:
        """Where the tables are."""
        return self.database or f"sqlite:///{self.folder / 'jobs.sqlite'}"

    @property
    def storage_url(self) -> str:
        """Where the files are."""
        return self.storage or f"file://{self.folder / 'files'}"

    @property
    def max_bytes(self) -> int:
        """Largest photo in bytes."""
        return self.max_mib << 20

    @property
    def max_film_bytes(self) -> int:
        """Largest film in bytes."""
        return self.max_film_mib << 20

    def environment(self) -> dict[str, str]:
        """The variables that make the same settings again, for the worker; the keys stay here."""
        return {variable_of(f.name): _written(getattr(self, f.name)) for f in fields(self) if f.name not in PLAIN_NAMES}


def variable_of(name: str) -> str:
    """The environment variable of a field."""
    return name.upper() if name in PLAIN_NAMES else f"UNFLAT_{name.upper()}"


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def _parsed(variable: str, text: str, default: Any) -> Any:
    """The text as the default's type."""
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        if isinstance(default, tuple):
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return type(default)(text)
    except (ValueError, KeyError):
        raise ValueError(
            f"{variable} is {text!r}; give {'1 or 0' if isinstance(default, bool) else 'a number'}."
        ) from None
