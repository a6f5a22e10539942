"""A stack whose services are stand-ins of a few lines, as a process of its own: `python -m tests.local.stand_in`."""

import http.server
import os
import signal
import sys
from pathlib import Path
from typing import Final

import psycopg

from config.local.__main__ import main
from config.local.plan import Plan

SELF: Final = ("-m", "tests.local.stand_in")


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            steps = connection.execute("SELECT string_agg(step, ' ' ORDER BY number) FROM steps").fetchone()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{steps} kafka={os.environ['KAFKA_BOOTSTRAP_SERVERS']}".encode())

    def log_request(self, *_: object) -> None:
        pass


def api() -> None:
    if os.environ.get("STAND_IN_BROKEN") == "api":
        sys.exit("the stand-in is broken")
    http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Ready).serve_forever()


def step(name: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS steps (number int GENERATED ALWAYS AS IDENTITY, step text)")
        connection.execute("INSERT INTO steps (step) VALUES (%s)", (name,))


def consumers() -> None:
    Path(os.environ["DATA_DIR"], "consumers.pid").write_text(str(os.getpid()))
    signal.pause()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["api"]:
            api()
        case ["consumers"]:
            consumers()
        case ["step", name]:
            step(name)
        case arguments:
            services = {"api": (*SELF, "api"), "consumers": (*SELF, "consumers")}
            plan = Plan(migrate=(*SELF, "step", "migrate"), demo=(*SELF, "step", "demo"), services=services)
            sys.exit(main(arguments, plan))
