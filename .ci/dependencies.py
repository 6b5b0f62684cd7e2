"""What an installed package needs: the lines of requirements.txt above its tests and checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

TESTS = "# tests and checks"


class Dependencies(MetadataHookInterface):
    """Read when a wheel is built or the checkout is installed."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        above, found, _ = (Path(self.root) / "requirements.txt").read_text().partition(TESTS)
        assert found, f"requirements.txt has no line {TESTS!r}"
        metadata["dependencies"] = [line for line in above.splitlines() if line and not line.startswith("#")]
