"""Every name of another library that is not meant for us, why it is used, and what holds its use.

The libraries are pinned to their minor versions for these. With a newer one, run the tests
that are named here first.
"""

from dataclasses import dataclass

import aiohttp
from aiohttp import web, web_protocol
from aiohttp.http import HttpRequestParser
from aiohttp.streams import StreamReader
from procrastinate import BaseRetryStrategy
from procrastinate.manager import JobManager
from redis.asyncio.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.asyncio.connection import AbstractConnection


@dataclass(frozen=True, slots=True)
class Reached:
    """Names of one owner, used for one reason.

    Attributes:
        owner: The library's class or module that has them.
        names: Read, set, or overridden.
        why: What for.
        held_by: The tests that fail when they mean something else.
    """

    owner: object
    names: tuple[str, ...]
    why: str
    held_by: str


REACHED = (
    Reached(
        web.RequestHandler,
        ("connection_made", "connection_lost", "data_received", "pause_writing", "resume_writing"),
        "a connection of our own says when it began, when it was heard, and when nobody reads",
        "tests/listening",
    ),
    Reached(
        web.RequestHandler,
        ("_messages", "_waiter", "_message_tail"),
        "what is behind a message that ends its connection is thrown away; what needs no waiting "
        "is taken off the queue before the handler's task is woken",
        "tests/listening",
    ),
    Reached(
        web.RequestHandler,
        ("_reading_paused", "_buffer_paused", "_resume_transport_reading", "_loop"),
        "a body is slow only while we read, and an end is seen only by who reads",
        "tests/listening",
    ),
    Reached(
        web.RequestHandler,
        ("finish_response", "handle_error", "force_close"),
        "the last answer is waited for; what is no HTTP is answered without quoting it",
        "tests/listening",
    ),
    Reached(
        web.RequestHandler,
        ("_upgraded", "_parser", "_manager", "writing_paused"),
        "only a connection in its usual state is answered at once",
        "tests/web/test_immediate.py",
    ),
    Reached(
        HttpRequestParser,
        ("message_consumed",),
        "the parser counts what was answered at once",
        "tests/web/test_immediate.py",
    ),
    Reached(
        StreamReader,
        ("_buffer", "total_bytes"),
        "a body is looked at without taking anything away",
        "tests/web/test_immediate.py",
    ),
    Reached(
        web.BaseRequest,
        ("_message",),
        "whether the caller asked for the end of the connection, or sent no HTTP at all",
        "tests/listening",
    ),
    Reached(web_protocol, ("ERROR",), "the message that stands for no HTTP", "tests/listening"),
    Reached(
        web.AppRunner,
        ("_make_server", "_cleanup_server"),
        "connections of our own, and a sweep that lives as long as they do",
        "tests/listening",
    ),
    Reached(web.Server, ("_kwargs",), "what the runner was given, for ours", "tests/listening"),
    Reached(
        web.Application,
        ("_client_max_size",),
        "a body that is too long is told how long it may be",
        "tests/integration/test_bad_input.py",
    ),
    Reached(
        web.StreamResponse,
        ("keep_alive", "prepare", "write_eof"),
        "an answer that is already bytes, head and all",
        "tests/web/test_answer_writer.py",
    ),
    Reached(
        aiohttp.ClientSession,
        ("_retry_connection",),
        "GET, PUT and DELETE are not sent again behind our retries' back",
        "tests/d365/test_transport.py",
    ),
    Reached(
        ClusterNode,
        ("_free", "_connections"),
        "connections that failed while sending are kept for ever, and would fill the node",
        "tests/shared_state/test_connection.py",
    ),
    Reached(
        RedisCluster,
        ("initialize", "execute_command", "pipeline", "time", "info", "aclose"),
        "commands wait for their turn, run to their end, and end in redis-py's errors only",
        "tests/shared_state/test_connection.py",
    ),
    Reached(
        ClusterNode,
        ("connection_class",),
        "its connections raise redis-py's errors only",
        "tests/shared_state/test_lost_connections.py",
    ),
    Reached(
        AbstractConnection,
        (
            "connect",
            "connect_check_health",
            "disconnect",
            "send_packed_command",
            "can_read_destructive",
            "read_response",
        ),
        "what uvloop raises of a connection that was reset is a lost connection",
        "tests/shared_state/test_lost_connections.py",
    ),
    Reached(
        ClusterPipeline,
        ("execute", "cluster_client"),
        "as above",
        "tests/shared_state/test_connection.py",
    ),
    Reached(
        JobManager,
        (
            "register_worker",
            "unregister_worker",
            "fetch_job",
            "update_heartbeat",
            "listen_for_jobs",
            "list_jobs_to_abort_async",
            "finish_job",
            "retry_job",
        ),
        "a worker's jobs outlive the database, and end only while they are still its own",
        "tests/sync_engine/test_forgotten_jobs.py",
    ),
    Reached(
        BaseRetryStrategy,
        ("get_retry_decision",),
        "a job comes back when its event says so",
        "tests/sync_engine/test_workers.py",
    ),
)

QUEUE_SCHEMA = (
    "procrastinate_jobs",
    "procrastinate_workers",
    "procrastinate_queue_v1#",
    "last_heartbeat",
    "worker_id",
    "queue_name",
    "scheduled_at",
    "attempts",
    "priority",
)
"""Of procrastinate's schema: what our own statements name, where it has no call for them."""
