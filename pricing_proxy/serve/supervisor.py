"""Keep workers running, and end them together: the parent process of `serve --workers`.

    SIGTERM, Ctrl-C         passed on; 0 when every worker ended well in time, else 1
    SIGHUP                  passed on: workers read keys anew
    a worker ends           said, and started again after a pause that doubles
    ... by a mistake (2)    at the first start it ends all, with 2; later it is as any other end,
                            since the others serve on with what they read
    a worker's loop stops   said, and after half a minute it is killed and started again

Workers end with their parent, however that ends (`children`).
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import suppress

from pricing_proxy.children import tied
from pricing_proxy.exit_codes import Exit
from pricing_proxy.listening.stopping import told_to_stop
from pricing_proxy.serve.worker_board import WorkerBoard, WorkerState

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 30.0
# A worker that ran for longer failed by something new.
_WELL_AFTER_SECONDS = 120.0
_LOOK_SECONDS = 1.0
# Far longer than a collection of garbage, or a machine that is busy with something else.
_SILENT_LOOKS, _DEAD_LOOKS = 5, 30
# Ended as told, or before it could listen to what it was told.
_GOOD_ENDS = frozenset({0, -signal.SIGTERM, -signal.SIGINT})


class Supervisor:
    """Runs the workers of a board.

    Args:
        command: What a worker runs; `--number=` is added, and `--replacement` when it starts again.
        board: How all stand.
        descriptor: Where workers find it.
        patience_seconds: How long they may take to end.
        first_pause_seconds: Before a worker is started again for the first time.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        board: WorkerBoard,
        descriptor: int,
        patience_seconds: float,
        first_pause_seconds: float,
    ) -> None:
        self._command = command
        self._board = board
        self._descriptor = descriptor
        self._patience_seconds = patience_seconds
        self._first_pause_seconds = first_pause_seconds
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._ends: list[int] = []
        # Of what ends without being told, nothing is asked any more: nobody waits.
        self._told = signal.SIGINT
        self._over = asyncio.Event()
        self._is_mistaken = False

    async def run(self) -> Exit:
        """Run until told to stop, or until nothing can be served; return how it ended."""
        stopping = told_to_stop()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._pass_on, signal.SIGHUP)
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep(number)) for number in self._board.numbers]
            others = [group.create_task(self._watch()), group.create_task(self._listen(stopping))]
            await self._over.wait()
            await self._end(keepers)
            for other in others:
                other.cancel()
        if self._is_mistaken:
            return Exit.MISTAKEN
        return Exit.DONE if _GOOD_ENDS.issuperset(self._ends) else Exit.FAILED

    async def _listen(self, stopping: "asyncio.Queue[signal.Signals]") -> None:
        self._told = await stopping.get()
        self._over.set()

    async def _end(self, keepers: "Sequence[asyncio.Task[None]]") -> None:
        """End all workers, and wait until they have."""
        _log.info("ending %d workers", len(self._children))
        self._pass_on(self._told)
        _, late = await asyncio.wait(keepers, timeout=self._patience_seconds)
        if late:
            _log.error("%d workers did not end in time, and are killed", len(late))
            self._pass_on(signal.SIGKILL)
            await asyncio.wait(late)

    async def _keep(self, number: int) -> None:
        """Run one worker again and again until all end."""
        loop = asyncio.get_running_loop()
        pause = self._first_pause_seconds
        is_replacement = False
        while not self._over.is_set():
            began = loop.time()
            code = await self._run_once(number, is_replacement=is_replacement)
            if self._over.is_set():
                self._board.tell(number, WorkerState.GONE)
                self._ends.append(code)
                return
            if code == Exit.MISTAKEN and not self._board.has_served(number):
                self._is_mistaken = True
                self._over.set()
                return
            self._board.lose(number)
            if loop.time() - began > _WELL_AFTER_SECONDS:
                pause = self._first_pause_seconds
            _log.error("worker %d %s; it starts again in %.0f s", number, _ending(code), pause)
            await self._rest(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            is_replacement = True

    async def _run_once(self, number: int, *, is_replacement: bool) -> int:
        state = WorkerState.RETURNING if is_replacement else WorkerState.STARTING
        self._board.begin(number, state)
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command,
                f"--number={number}",
                *(["--replacement"] if is_replacement else []),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(self._descriptor,),
                # A group of its own: Ctrl-C reaches it through us, once.
                process_group=0,
                **tied(),
            )
        except OSError as error:  # no memory, no process left
            _log.error("worker %d cannot be started: %s", number, error.strerror)
            return Exit.FAILED
        self._children[number] = child
        try:
            if self._over.is_set():  # between being asked for and being there
                child.terminate()
            return await child.wait()
        finally:
            del self._children[number]

    async def _watch(self) -> None:
        """Look whether each worker's loop turns."""
        seen: dict[int, int] = {}
        still = dict.fromkeys(self._board.numbers, 0)
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for number in self._board.numbers:
                beats = self._board.beats(number)
                is_well = beats == 0 or beats != seen.get(number)
                still[number] = 0 if is_well else still[number] + 1
                seen[number] = beats
                if number in self._children:
                    self._judge(number, still[number])

    def _judge(self, number: int, looks: int) -> None:
        if looks == _SILENT_LOOKS:
            _log.warning("worker %d has been silent for %d s", number, looks)
            self._board.tell(number, WorkerState.SILENT)
        elif looks == _DEAD_LOOKS:
            _log.error("worker %d has been silent for %d s and is killed", number, looks)
            self._children[number].kill()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    def _pass_on(self, what: signal.Signals) -> None:
        for number, child in self._children.items():
            if self._board.beats(number) or what == signal.SIGKILL:
                child.send_signal(what)
            elif what != signal.SIGHUP:
                # It cannot be told anything yet, and holds nothing that must be ended in order.
                child.terminate()


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with {code}"
    return f"was ended by {signal.Signals(-code).name}"
