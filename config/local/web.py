"""What the supervisor asks of ports and of the service over HTTP."""

import errno
import http.client
import socket
import time

from config.local.program import TICK, StartError

ASK_SECONDS = 2.0
PATIENCE = 2.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


def check_port(host: str, port: int, variable: str) -> None:
    """Raise `StartError` when a port cannot be listened on; what just stopped has a moment to let go of it."""
    deadline = time.monotonic() + PATIENCE
    while (problem := _problem(host, port)) == errno.EADDRINUSE and time.monotonic() < deadline:
        time.sleep(TICK)
    if problem == errno.EADDRINUSE:
        raise StartError(f"port {port} is taken; choose another, such as {variable}={port + 1}")
    if problem:
        raise StartError(f"cannot listen on {host} port {port} ({errno.errorcode.get(problem, problem)})")


def _problem(host: str, port: int) -> int:
    """Return the error number of listening on a port, 0 when it works."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        return error.errno or errno.EADDRNOTAVAIL
    return 0


def base_url(host: str, port: int) -> str:
    """Return the URL at which this machine reaches a server that listens on a host and port."""
    name = EVERYWHERE.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def get(host: str, port: int, path: str) -> tuple[int, str]:
    """Return the status and body of a GET request; status 0 when nobody answers."""
    connection = http.client.HTTPConnection(EVERYWHERE.get(host, host), port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
