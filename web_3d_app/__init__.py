"""The web application: pages, a JSON API, jobs and the worker that does them. `create_app(settings)` makes it.

The web process imports no torch and no open3d; the worker (`python -m web_3d_app.work.worker`) does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from web_3d_app.factory import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # late, so that the worker does not load Flask
        from web_3d_app import factory

        return factory.create_app
    raise AttributeError(f"module 'web_3d_app' has no attribute {name!r}")
