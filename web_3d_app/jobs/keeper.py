"""`python -m web_3d_app.jobs.keeper`: what has to happen in time, whoever does the work.

Every server has a keeper beside its engine; of all of them on one database one is elected, and goes on in office while it
keeps renewing it. It fails tries that take too long, gives back the jobs of workers that are silent, follows a wall clock
that is set, deletes what has expired and what nobody points to. Another takes over when the office was not renewed for the
length of a lease, as it saw itself (see `clock`), or was given up.
"""

from __future__ import annotations

import math
import secrets
import signal
import threading
from contextlib import suppress

from sqlalchemy import select, update

from web_3d_app.clock import Awake, Clock, Watched, since_boot
from web_3d_app.jobs.claims import Claims
from web_3d_app.jobs.database import Database, DatabaseBusy
from web_3d_app.jobs.housekeeping import Housekeeping
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import Election
from web_3d_app.kinds import kind_at
from web_3d_app.logs import get_logger, set_up_logs
from web_3d_app.settings import Settings

TICK_SECONDS = 1.0
CLEAN_SECONDS = 60.0
STANDSTILL_SECONDS = 10.0
"""Between two looks no more is counted: this process was stopped, or the machine slept, and the workers perhaps too."""
STOP_SECONDS = 10.0
"""A look that is under way is waited for so long."""
OFFICE = "keeper"
log = get_logger("keeper")


class Office:
    """What one process has at a time. awake: counts the seconds that this process runs; clock: goes on while it does not,
    so that after a standstill it makes sure."""

    def __init__(self, database: Database, lease_seconds: float, awake: Clock, clock: Clock = since_boot) -> None:
        self._database, self._lease, self._clock, self._office = database, lease_seconds, clock, OFFICE
        self._me, self._terms, self._sure_until = secrets.token_hex(8), Watched(awake), -math.inf

    def held(self) -> bool:
        """Whether it is this process's; it is taken if it is nobody's, or was not renewed for long. Raises DatabaseBusy."""
        if self._clock() < self._sure_until:
            return True
        known = select(Election.holder, Election.term).where(Election.office == self._office)
        with self._database.read() as session:
            holder, term = session.execute(known).one()
        silent = self._terms.ages({self._office: term})[self._office] > self._lease
        if holder not in (None, self._me) and not silent:
            return False
        same = (Election.office == self._office, Election.term == term)  # else somebody was faster
        taken = update(Election).where(*same).values(holder=self._me, term=term + 1).returning(Election.term)
        with self._database.write() as session:
            found = session.scalar(taken) is not None
        self._sure_until = self._clock() + self._lease / 6 if found else -math.inf
        return found

    def give_up(self) -> None:
        """Whoever comes next need not wait. Raises DatabaseBusy."""
        mine = (Election.office == self._office, Election.holder == self._me)
        with self._database.write() as session:
            session.execute(update(Election).where(*mine).values(holder=None))
        self._sure_until = -math.inf


class TimeLimits:
    """Counts the seconds of each try, while its worker runs, and fails those that take too long. clock: counts while this
    process runs."""

    def __init__(self, claims: Claims, settings: Settings, clock: Clock) -> None:
        self._claims, self._settings, self._clock = claims, settings, clock
        self._looked, self._spent = clock(), dict[tuple[str, int], float]()

    def look(self) -> None:
        """To be called about once a second. Raises DatabaseBusy."""
        now = self._clock()
        passed, self._looked = now - self._looked, now
        running = {(job.id, job.attempt): (job, stopped) for job, stopped in self._claims.running()}
        before = self._spent
        self._spent = {
            key: before[key] + (0.0 if stopped else passed) if key in before else 0.0
            for key, (_, stopped) in running.items()
        }
        for key, (job, _) in running.items():
            if self._spent[key] > kind_at(job.lane).bounds.seconds(self._settings):
                log.warning("job took too long", job=job.id, lane=job.lane, seconds=round(self._spent[key]))
                self._claims.fail_late(job)


class Keeper:
    """One of several, of which one is in office. awake, clock: see `Office`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        housekeeping: Housekeeping,
        claims: Claims,
        awake: Clock | None = None,
        clock: Clock = since_boot,
    ) -> None:
        awake = awake or Awake(STANDSTILL_SECONDS)
        self._housekeeping, self._claims, self._awake = housekeeping, claims, awake
        self._office = Office(database, claims.lease_seconds, awake, clock)
        self._limits = TimeLimits(claims, settings, awake)
        self._in_office, self._clean_at = False, 0.0
        self._ending, self._thread = threading.Event(), threading.Thread(target=self.run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End, and give up the office; again is no error."""
        self._ending.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(STOP_SECONDS)

    def run(self) -> None:
        """Until `stop`."""
        while not self._ending.is_set():
            try:
                self.tick()
            except (DatabaseBusy, OSError) as error:
                log.warning("keeping delayed", error=str(error))
            except Exception:  # nobody else would do the rest
                log.exception("keeping failed")
            self._ending.wait(TICK_SECONDS)
        if self._in_office:
            with suppress(DatabaseBusy):
                self._office.give_up()

    def tick(self) -> None:
        """One look at everything. Raises DatabaseBusy or OSError."""
        self._claims.awake()
        due = self._awake() >= self._clean_at
        if due:
            self._housekeeping.tidy_spool()  # each server has its own
        held, before = self._office.held(), self._in_office
        self._in_office = held
        if held:
            self._keep(due, newly=not before)
        if due:
            self._clean_at = self._awake() + CLEAN_SECONDS

    def _keep(self, due: bool, newly: bool) -> None:
        if newly:
            log.info("keeper in office")
            self._housekeeping.resume()
        self._housekeeping.look()
        self._limits.look()
        if due or newly:
            self._claims.reap()
            if expired := self._housekeeping.clean():
                log.info("jobs expired", count=expired)


def keeper(settings: Settings, database: Database, storage: Storage) -> Keeper:
    """One with clocks and claims of its own."""
    housekeeping = Housekeeping(database, storage, spool=settings.folder / "spool")
    return Keeper(settings, database, housekeeping, Claims(database, settings.lease_seconds))


def main() -> None:
    """Keep, until told to end: where no server does, or beside them."""
    settings = Settings.from_env()
    set_up_logs(settings)
    database = Database(settings.database_url)
    kept = keeper(settings, database, Storage(settings.storage_url))
    for order in (signal.SIGTERM, signal.SIGINT):
        signal.signal(order, lambda *_: kept.stop())
    kept.run()
    database.close()


if __name__ == "__main__":
    main()
