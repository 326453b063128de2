"""Pools of things as jobs see them: a job gets all it needs, or a fence to wait for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from fencepost.actors.job import Job
from fencepost.errors import WrongState
from fencepost.fences import Fence
from fencepost.policies.resources import Account, Grab, Pool, Request, Step, check_needs, new_grab
from fencepost.sync import Claim, current

__all__ = ["Resources", "Turn"]


class Turn(Fence):
    """Signals when its job should ask again.

    Not at the end of one certain job, as where a ring hands out its places: any job that ends may make room. But there
    is one only while other jobs have what is missing.
    """

    __slots__ = ("claims",)

    claims: tuple[Claim, ...]


class Stock:
    """A pool, as a report of who holds what shows it."""

    __slots__ = ("_grab", "_pool")

    def __init__(self, pool: Pool, grab: Grab[Job]) -> None:
        self._pool = pool
        self._grab = grab

    @property
    def name(self) -> str:
        return self._pool.name

    @property
    def total(self) -> int:
        return self._pool.total

    @property
    def free(self) -> int:
        return self._pool.free

    @property
    def held(self) -> Mapping[object, int]:
        return dict(self._grab.held(self._pool).items())


class Resources:
    """Pools that the jobs of any number of schedulers take from, just before they run.

    A backend whose jobs need something shares one of these with others, and says

        def check_job(self, job: Job) -> None:
            self.resources.check(job, needs)

        def prepare_job(self, job: Job) -> Fence | None:
            got = self.resources.get(job, needs)
            return got if isinstance(got, Fence) else None

    What a job holds comes back before its finished fence signals, or when it is killed; a backend may `release` it
    earlier, before it signals the hardware fence. One job takes from one `Resources`: whoever needs things of several
    kinds has them put side by side, so that they are taken together.

    With the grab `fifo` every job gets what it needs: whoever holds anything holds all it needs, and so runs. With
    `hold` and `drop` jobs can get stuck, and with `atomic` starve; they are here to be watched at that.

    `_lock` protects the pools, who holds what, and the turns; a leaf. Fences are signalled after it was dropped.

    Args:
        grab: how things are handed out, a key of `GRABS`; or one of your own, made for it.
        watches: called each time a job has to wait, with this as the argument and no lock held, by the entity's actor.
            See `fencepost.checks.resource_deadlock` and `fencepost.checks.livelock`.

    Raises:
        BadInput: there is no such grab.
    """

    def __init__(
        self, grab: str | Grab[Job] = "fifo", *, watches: Collection[Callable[[Resources], object]] = ()
    ) -> None:
        world = current()
        self._lock = world.lock()
        self._claims = world.claims
        self._grab: Grab[Job] = new_grab(grab) if isinstance(grab, str) else grab
        self._watches = tuple(watches)
        # Of each job that waits; kept until it signals.
        self._turns: dict[Job, Turn] = {}
        self._stocks: dict[Pool, Stock] = {}

    def check(self, job: Job, needs: Mapping[Pool, int]) -> None:
        """Refuse a job that could never get what it needs. Any context.

        Raises:
            OSError: EINVAL when a pool does not have as much at the best of times, or when it is less than one.
        """
        check_needs(job, needs)

    def get(self, job: Job, needs: Mapping[Pool, int]) -> Mapping[Pool, tuple[int, ...]] | Fence:
        """Return what the job needs, which it has from now on, or a fence at whose signal to ask again.

        Ask again whenever you like: what it holds it keeps. Never blocks; by the entity's actor, or by whoever else has
        the job in hand. (Of the grabs that take one at a time each take is a step of its own.)

        Args:
            job: for whom.
            needs: how many of each pool; always the same for one job.

        Raises:
            OSError: EINVAL as `check`, or for other needs than before.
            WrongState: the job takes from another `Resources`.
        """
        if job.resources not in (None, self):
            raise WrongState(f"{job} takes from other resources already; put all that it needs into one")
        with self._lock:
            request = self._grab.want(job, needs, job.queue.context)
        job.resources = self
        got = self._step(request)
        while got is Step.TOOK:
            got = self._step(request)
        if isinstance(got, Step):
            return request.held
        for watch in self._watches:
            watch(self)
        return got

    def release(self, job: Job) -> bool:
        """Take back what a job holds, and its place in the line; False when it has neither. Any context; idempotent."""
        with self._lock:
            had = self._grab.release(job)
            told = self._told_locked()
            turn = self._turns.pop(job, None)
            if turn is not None:
                self._withdraw_locked(turn)
                told.append(turn)
        signal(told)
        return had

    def account(self) -> Account[Job]:
        """Tell who has what, and who waits. Any context."""
        with self._lock:
            return self._grab.account()

    def _step(self, request: Request[Job]) -> Step | Turn:
        with self._lock:
            step = self._grab.step(request)
            turn = self._wait_locked(request) if step is Step.SHORT else None
            told = self._told_locked()
        signal(told)
        return step if turn is None else turn

    def _wait_locked(self, request: Request[Job]) -> Turn:
        job = request.who
        turn = self._turns.get(job)
        if turn is None:
            turn = self._turns[job] = Turn(name=f"the turn of {job}")
            turn.claims = tuple(
                Claim(self._stock_locked(pool), job, count)
                for pool in request.needs
                if (count := request.missing(pool))
            )
            for claim in turn.claims:
                self._claims[claim.resource, job] = claim
        return turn

    def _stock_locked(self, pool: Pool) -> Stock:
        if pool not in self._stocks:
            self._stocks[pool] = Stock(pool, self._grab)
        return self._stocks[pool]

    def _told_locked(self) -> list[Turn]:
        """Take out the turns that have come."""
        if not self._grab.told:
            return []
        told, self._grab.told = self._grab.told, []
        turns = [self._turns.pop(job) for job in told]
        for turn in turns:
            self._withdraw_locked(turn)
        return turns

    def _withdraw_locked(self, turn: Turn) -> None:
        for claim in turn.claims:
            self._claims.pop((claim.resource, claim.who), None)


def signal(turns: Collection[Turn]) -> None:
    """Let those whose turn has come ask again."""
    for turn in turns:
        turn.signal()
