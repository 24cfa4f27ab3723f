from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from .scripted import make_certificate


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries happen, their waits don't."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")
