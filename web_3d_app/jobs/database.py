"""The database: short transactions, and migrations that run at the start.

On SQLite: write-ahead log, and every writing transaction begins as a writer (BEGIN IMMEDIATE), because one that reads
first and writes later fails with "database is locked" whatever the timeout (docs/decisions.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

BUSY_SECONDS = 5.0
"""How long a writer waits for another one."""
PAUSE_SECONDS = 0.1
"""Before a patient one tries again: a server that is down refuses at once."""
ITS_OWN: dict[str, Any] = {"expire_on_commit": False, "join_transaction_mode": "control_fully"}
"""The session ends the transaction that its connection began."""
MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseBusy(Exception):
    """The database stayed locked, or is full or gone; the caller may try again later."""


class Database:
    """One engine and the two kinds of transaction on it. patient: whether a transaction that cannot begin is to wait on,
    however long that takes; else it raises DatabaseBusy after busy_seconds."""

    def __init__(
        self, url: str, busy_seconds: float = BUSY_SECONDS, patient: Callable[[], bool] = lambda: False
    ) -> None:
        sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"connect_args": {"timeout": busy_seconds}} if sqlite else {"pool_pre_ping": True}
        if sqlite:
            options |= {"pool_size": 64, "max_overflow": 0}  # a thread has one for a moment, and waits for one
        self.engine: Engine = create_engine(url, **options)
        self._patient = patient
        if sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads. Raises DatabaseBusy."""
        with self._session(writes=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed at the end. Raises DatabaseBusy."""
        with self._session(writes=True) as session:
            yield session
            session.commit()

    @contextmanager
    def _session(self, writes: bool) -> Iterator[Session]:
        try:
            with self._begun(writes) as connection, Session(connection, **ITS_OWN) as session:
                yield session
        except OperationalError as error:
            raise DatabaseBusy(str(error.orig)) from error

    def _begun(self, writes: bool) -> Connection:
        """A connection with a transaction, which has the lock if it writes: nothing was done before, so it can wait."""
        while True:
            try:
                connection = self.engine.connect().execution_options(writes=writes)
                try:
                    connection.begin()
                except BaseException:
                    connection.close()
                    raise
                return connection
            except OperationalError:
                if not self._patient():
                    raise
                time.sleep(PAUSE_SECONDS)

    def migrate(self) -> None:
        """Bring the tables to the newest version."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.execution_options(writes=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
