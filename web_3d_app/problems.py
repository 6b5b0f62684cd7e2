"""What can go wrong with a request, each with its HTTP status, a word for programs and a sentence for people."""

from __future__ import annotations

from typing import Any

from web_3d_app.phrasebook import sentence_of


class Problem(Exception):
    """An expected refusal. `code` is stable; `message` is one sentence; `retry_after` is in seconds."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None, **fields: Any) -> None:
        super().__init__(message)
        self.headers: dict[str, str] = {}
        self.status, self.code, self.message, self.retry_after, self.fields = status, code, message, retry_after, fields

    def body(self) -> dict[str, Any]:
        """The JSON that every error has."""
        extra = {"fields": self.fields} if self.fields else {}
        return {"error": {"code": self.code, "message": self.message, "status": self.status} | extra}


def not_found() -> Problem:
    """The same for what is not there and for what is someone else's."""
    return Problem(404, "not_found", sentence_of("server.not_found"))


def gone() -> Problem:
    """Of a job that was deleted or has expired."""
    return Problem(410, "gone", sentence_of("server.gone"))


def disk_full() -> Problem:
    """Of an upload that cannot be kept."""
    return Problem(507, "disk_full", sentence_of("server.disk_full"))


def busy(message: str = "", code: str = "busy") -> Problem:
    """Of what will be possible a little later."""
    return Problem(503, code, message or sentence_of("server.busy"), retry_after=5)
