"""An Apache Kafka broker of one KRaft node on the loopback interface, its storage formatted on the first start."""

import base64
import contextlib
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from config.local.kafka.jars import Runtime
from config.local.program import Program

LOOPBACK = "127.0.0.1"
LOGGING = Path(__file__).with_name("log4j2.properties")
# A short-lived broker for one developer: start quickly, stay small.
JAVA_OPTIONS = ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]
START_SECONDS = 90.0
REQUEST_MS = 2000

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    # After a kill the broker comes back only when the session of its former self is over.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "400",
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(16 * 1024 * 1024),  # a sealed template or message body is one event
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}


class Kafka:
    """One broker with its data in `folder`; its ports are chosen on the first start and kept while they are free."""

    def __init__(self, folder: Path, log: Path, runtime: Runtime) -> None:
        self._folder = folder
        self._log = log
        self._runtime = runtime
        self._properties = folder / "server.properties"
        self._port = 0

    @property
    def bootstrap(self) -> str:
        """The address that clients connect to, once prepared."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def version(self) -> str:
        """The version of Apache Kafka."""
        return self._runtime.version

    def prepare(self) -> Program:
        """Write the configuration, format the storage on the first start, and return the broker to start."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._port, controller = self._ports()
        settings = SETTINGS | {
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "log.dirs": str(self._folder / "data").replace("\\", "\\\\"),
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        if not (self._folder / "data" / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            format_ = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--ignore-formatted"]
            self._program("kafka storage", [*format_, "--config", str(self._properties)]).run()
        return self._program("kafka", ["kafka.Kafka", str(self._properties)])

    def ready(self) -> bool:
        """Tell whether the broker answers a request for its metadata with itself in it."""
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, self._port), timeout=1).close()
            return self._answers()
        return False

    @contextlib.contextmanager
    def running(self) -> Iterator["Kafka"]:
        """Run the broker for the length of a `with` block."""
        broker = self.prepare()
        broker.start()
        try:
            broker.wait_until(self.ready, START_SECONDS)
            yield self
        finally:
            broker.stop()

    def _answers(self) -> bool:
        with contextlib.suppress(KafkaError):
            client = KafkaAdminClient(
                bootstrap_servers=self.bootstrap, request_timeout_ms=REQUEST_MS, bootstrap_timeout_ms=REQUEST_MS
            )
            try:
                return bool(client.describe_cluster()["brokers"])
            finally:
                client.close()
        return False

    def _ports(self) -> tuple[int, int]:
        """Return the ports of the broker and the controller: those of the last start if nobody else has them now."""
        note = self._folder / "ports"
        if note.exists():
            broker, controller = map(int, note.read_text().split())
            if _free(broker) and _free(controller):
                return broker, controller
        with socket.create_server((LOOPBACK, 0)) as one, socket.create_server((LOOPBACK, 0)) as other:
            broker, controller = one.getsockname()[1], other.getsockname()[1]
        note.write_text(f"{broker} {controller}\n")
        return broker, controller

    def _program(self, name: str, command: list[str]) -> Program:
        options = [*JAVA_OPTIONS, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", self._runtime.classpath]
        environ = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TZ"}}
        return Program(name=name, command=[self._runtime.java, *options, *command], log=self._log, environ=environ)


def _free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True
