"""The servers under the service: PostgreSQL and, where it is wanted and can be had, Apache Kafka."""

from collections.abc import Callable

from config.local.data import DataDirectory
from config.local.kafka.broker import START_SECONDS as KAFKA_SECONDS
from config.local.kafka.broker import Kafka
from config.local.kafka.jars import KafkaUnavailableError, find_runtime
from config.local.keys import master_key, operator_key
from config.local.postgres import START_SECONDS as POSTGRES_SECONDS
from config.local.postgres import Postgres
from config.local.program import StartError
from config.local.restarts import Kept
from config.settings import KafkaMode


class Servers:
    """Both servers, started side by side; what is told to `say` is one line for the terminal."""

    def __init__(self, data: DataDirectory, kafka_mode: KafkaMode, say: Callable[[str], None]) -> None:
        self.kept: list[Kept] = []
        self.kafka: Kafka | None = None
        self.why_no_kafka = "KAFKA=off"
        self._data = data
        self._mode = kafka_mode
        self._say = say
        self.postgres = Postgres(data.path / "postgres", data.log("postgres"))
        self._master_key = master_key(data.path, fresh=self.postgres.fresh)
        self._operator_key = operator_key(data.path)

    def start_postgres(self) -> None:
        """Start PostgreSQL, without waiting for it."""
        self._start(Kept(self.postgres.prepare))

    def start_kafka(self) -> None:
        """Start Apache Kafka if it is wanted and can be had, without waiting for it.

        Raises `StartError` when it is insisted on and cannot be had.
        """
        if self._mode == "off":
            return
        try:
            runtime = find_runtime(self._data.path / "cache", self._data.log("maven"), self._say)
        except KafkaUnavailableError as error:
            if self._mode == "on":
                raise StartError(f"KAFKA=on, but {error}") from None
            self.why_no_kafka = str(error).splitlines()[0]
            return
        self.kafka = Kafka(self._data.path / "kafka", self._data.log("kafka"), runtime)
        self._start(Kept(self.kafka.prepare))

    def wait_for_postgres(self) -> None:
        """Wait until PostgreSQL accepts connections, or raise `StartError`."""
        self.kept[0].program.wait_until(self.postgres.ready, POSTGRES_SECONDS)

    def wait_for_kafka(self) -> None:
        """Wait until Apache Kafka answers, if it was started, or raise `StartError`."""
        if self.kafka is None:
            return
        try:
            self.kept[-1].program.wait_until(self.kafka.ready, KAFKA_SECONDS)
        except StartError as error:
            raise StartError(f"{error}\n  KAFKA=off does without it") from None

    def environ(self) -> dict[str, str]:
        """Return what the service has to know of the servers, as environment variables."""
        return {
            "DATABASE_URL": self.postgres.conninfo(),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap if self.kafka is not None else "",
            "MASTER_KEY": self._master_key,
            "OPERATOR_KEY": self._operator_key,
        }

    def _start(self, server: Kept) -> None:
        server.start()
        self.kept.append(server)
