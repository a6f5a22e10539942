"""`python -m config.local`, which is `make run`: the whole service on this machine, until Ctrl-C."""

import signal
import sys
import time
from types import FrameType

from config.local.child import die_with_parent
from config.local.plan import DATAMAILER, Plan
from config.local.program import StartError
from config.local.screen import Screen
from config.local.supervisor import Supervisor
from config.settings import BadSettingsError, Settings

DIE_WITH_PARENT = "--die-with-parent"


def main(arguments: list[str], plan: Plan = DATAMAILER) -> int:
    """Run a plan until interrupted; return 1 when the stack cannot start, 2 when a setting is wrong."""
    screen = Screen()
    try:
        settings = Settings.read(required=())
    except BadSettingsError as error:
        screen.fail(str(error))
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    if DIE_WITH_PARENT in arguments:
        die_with_parent(signal.SIGTERM)
    return supervise(Supervisor(settings, plan, screen.say), screen)


def supervise(supervisor: Supervisor, screen: Screen) -> int:
    """Start, watch and stop a stack; return the exit status."""
    began = time.monotonic()
    try:
        servers = supervisor.start()
        screen.ready(supervisor, servers, time.monotonic() - began)
        supervisor.watch()
    except StartError as error:
        screen.fail(str(error))
        return 1
    except KeyboardInterrupt:
        screen.say("stopping")
    finally:
        supervisor.stop()
    screen.stopped()
    return 0


def interrupt(number: int, _frame: FrameType | None) -> None:
    """Make every signal that asks to stop an interruption; after the first, only Ctrl-C makes it hurry."""
    for other in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
