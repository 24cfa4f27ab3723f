"""``python -m tests.mailcow_server``: the server by itself; prints its URL when ready, quits on SIGTERM or SIGINT.

With ``--control``, ``POST /_control`` takes a JSON object of knobs: ``latency``, ``seconds_per_full_rebuild``,
``seconds_per_incremental_rebuild`` (seconds), ``short_list``, ``short_list_times``, ``no_reduced``, ``clear`` (no more
faults), ``clock``, ``advance`` (seconds), ``reset`` (costs and log) and ``faults``, a list of objects with ``kind``,
``path``, ``item``, ``nth``, ``times``. It answers with the costs; ``GET /_control/log`` gives the journal,
``GET /_control/state`` what is held, without passwords.
"""

import argparse
import signal
import threading
from pathlib import Path

from .clock import Clock
from .server import API_KEY, READ_ONLY_KEY, MailcowServer
from .state import DomainLimits


def domain_limits(text: str) -> DomainLimits:
    """``example.org`` or ``example.org:mailboxes=10,quota=20480``, quotas in MiB."""
    name, _, limits = text.partition(":")
    given = dict(part.split("=", 1) for part in limits.split(",") if part)
    return DomainLimits(name, **{key: int(value) for key, value in given.items()})


def main() -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mailcow_server", description="A stand-in for mailcow's web API."
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--api-key", default=API_KEY)
    parser.add_argument("--read-only-key", default=READ_ONLY_KEY)
    parser.add_argument(
        "--domain", type=domain_limits, action="append", default=[],
        metavar="NAME[:mailboxes=N,aliases=N,quota=MIB,maxquota=MIB,defquota=MIB]",
    )  # fmt: skip
    parser.add_argument("--latency", type=float, default=0, metavar="MS", help="before each answer")
    parser.add_argument("--log", type=Path, metavar="FILE", help="every request, a JSON object per line")
    parser.add_argument("--state", type=Path, metavar="FILE", help="loaded if there, saved after each write")
    parser.add_argument("--clock", metavar="TIME", help="stand still at '2026-11-21 01:00:40'")
    parser.add_argument("--control", action="store_true", help="let /_control turn the knobs")
    options = parser.parse_args()
    server = MailcowServer(
        options.domain,
        port=options.port,
        api_key=options.api_key,
        read_only_key=options.read_only_key,
        clock=Clock(options.clock),
        log_file=options.log,
        state_file=options.state,
        control=options.control,
    )
    server.faults.latency = options.latency / 1000
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server:
        print(server.url, flush=True)  # noqa: T201 - the one line that a script waits for
        stop.wait()


if __name__ == "__main__":
    main()
