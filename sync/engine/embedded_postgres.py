"""A real PostgreSQL as a child process of ours, for trying and for small shops.

    async with EmbeddedPostgres(folder) as server:
        ... server.url ...

Made once and kept between runs. One program owns it, by a lock on a file: it starts the
server, starts it again when it dies, and stops it in the end. Another program with the same
folder uses the same server, and takes over when the owner is gone, killed ones included. It
listens on a socket
in its folder only, which nobody else may enter.
"""

import asyncio
import fcntl
import logging
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Self

import psycopg

from pricing_proxy.background import Background
from pricing_proxy.children import tied
from sync.engine.embedded_state import (
    check_access,
    check_folder,
    server_pid,
    socket_url,
    wrong_version,
)
from sync.engine.postgres_programs import (
    MAJOR_VERSION,
    Account,
    EmbeddedPostgresError,
    account,
    data_version,
    programs,
)

_log = logging.getLogger(__name__)

_START_SECONDS, _STOP_SECONDS = 60.0, 30.0
_LOOK_SECONDS = 0.2


class EmbeddedPostgres(Background):
    """A server in a folder; an async context manager.

    Args:
        folder: Where data, socket and log are; made when missing.

    Raises:
        EmbeddedPostgresError: It cannot be run here; the text says what to do.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._data = self._folder / "data"
        self._socket = self._folder / "run"
        self._lock_file: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        check_folder(self._folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._take_ownership():
            await self._make()
            self._start()
        # From here on: an owner may die before its server answers, or a first start fail
        # because sessions of a killed server are left.
        await super().__aenter__()
        try:
            await self._until_it_answers()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        if self.is_owner:
            await self._stop()
            self._give_up_ownership()

    @property
    def is_owner(self) -> bool:
        """Whether this program starts and stops the server."""
        return self._lock_file is not None

    @property
    def url(self) -> str:
        """Its address."""
        return socket_url(self._folder)

    @property
    def server_pid(self) -> int | None:
        """The server's process, None while it is not running."""
        return server_pid(self._data)

    def _take_ownership(self) -> bool:
        lock_file = os.open(self._folder / "owner.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock_file)
            return False
        self._lock_file = lock_file
        return True

    def _give_up_ownership(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    async def _make(self) -> None:
        found = data_version(self._data)
        if found == MAJOR_VERSION:
            return
        if found is not None:
            raise wrong_version(self._data, found)
        _log.info("making a database in %s", self._data)
        who = account()
        check_access(who, self._data)
        # What a first start that was interrupted left is no database yet.
        shutil.rmtree(self._data, ignore_errors=True)
        for folder in (self._data, self._socket):
            folder.mkdir(exist_ok=True)
            who.own(folder)
        await self._initialise(who)

    async def _initialise(self, who: Account) -> None:
        initdb = programs(who, self._data) / "initdb"
        command = [str(initdb), "--pgdata", str(self._data), "--username", "postgres"]
        command += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-instructions"]
        # Not by the event loop: uvloop's starts nothing as another user.
        done = await asyncio.to_thread(
            lambda: subprocess.run(  # noqa: S603 -- a program of a locked package
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=False,
                **who.options(),
                **tied(),
            )
        )
        if done.returncode != 0:
            text = bytes(done.stderr).decode(errors="replace").strip().splitlines()
            raise EmbeddedPostgresError(
                f"no database could be made in {self._data}: {text[-1] if text else 'no reason'}"
            )

    def _start(self) -> None:
        if self.server_pid is not None:
            return  # an earlier owner was killed, and left it running: it is ours now
        who = account()
        self._socket.mkdir(exist_ok=True)
        who.own(self._socket)
        command = [str(programs(who, self._data) / "postgres"), "-D", str(self._data)]
        command += ["-k", str(self._socket), "-c", "listen_addresses="]
        command += ["-c", "max_connections=200", "-c", "log_min_messages=fatal"]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- a program of a locked package, started at once
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal goes to the whole group: it must outlive our last commit.
                process_group=0,
                # Not tied to us: when we are killed, other programs here go on with it.
                **who.options(),
            )

    async def _until_it_answers(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await self._answers():  # noqa: ASYNC110 -- a process tells nobody
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise EmbeddedPostgresError(
                f"the embedded PostgreSQL does not answer after {_START_SECONDS:.0f} s; "
                f"see {self._folder / 'postgres.log'}"
            ) from None

    async def _answers(self) -> bool:
        try:
            connection = await psycopg.AsyncConnection.connect(self.url, connect_timeout=2)
        except psycopg.OperationalError:
            return False
        await connection.close()
        return True

    async def _for_ever(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            # Asked first, as that also forgets a child that has ended, which has its pid till then.
            if self._is_starting() or self.server_pid is not None:
                continue
            if self.is_owner or self._take_ownership():
                _log.warning("the embedded PostgreSQL has ended; starting it again")
                await self._reap()
                await self._make()
                # It ends at once while sessions of a killed one are left: looked at again.
                self._start()

    def _is_starting(self) -> bool:
        """Say whether our process lives, though it may not have said so in its folder yet."""
        return self._process is not None and self._process.poll() is None

    async def _reap(self) -> None:
        if self._process is not None:
            while self._process.poll() is None:  # noqa: ASYNC110 -- a process tells nobody
                await asyncio.sleep(_LOOK_SECONDS)
            self._process = None

    async def _stop(self) -> None:
        pid = self.server_pid
        if pid is None:
            return
        # "Fast": sessions end at once, everything committed is kept.
        os.kill(pid, signal.SIGINT)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._reap()
                while self.server_pid is not None:  # noqa: ASYNC110 -- as above
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            _log.warning("the embedded PostgreSQL does not stop; it recovers at the next start")
