"""The ``datamailer`` command: schema, demo data, tenants and keys, from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import msgspec
import psycopg
from eventsourcing.persistence import PersistenceError

from api import cli_campaigns as campaigns
from api import cli_contacts as contacts
from api import cli_dead_letters as dead_letters
from api import cli_imports as imports
from api import cli_messages as messages
from api import cli_projections as projections
from api import cli_tenants as tenants
from api.asyncapi import encoded
from api.cli_output import CommandError, say
from api.demo import KEYS, DemoError, add_demo
from config.reach import with_stack
from config.settings import BadSettingsError, Settings
from domain.store.keyring import WrongMasterKey
from domain.store.mapper import UnknownEvent
from domain.store.order import Unavailable
from domain.store.schema import install_schema
from projections.schema import install_read_models

FAILED = 1
MISUSED = 2


class Argument(msgspec.Struct, frozen=True):
    """One argument of a command: a flag with dashes is an option, ``needed`` or not; a ``switch`` takes no value."""

    flag: str
    about: str
    needed: bool = False
    switch: bool = False


class Command(msgspec.Struct, frozen=True):
    """A command: its words, the function that runs it, what it is for, and its arguments."""

    words: str
    run: Callable[[Settings, argparse.Namespace], None]
    about: str
    arguments: tuple[Argument, ...] = ()


def migrate(settings: Settings, _: argparse.Namespace) -> None:
    """Create what the database lacks; safe to run again."""
    install_schema(settings.database_url)
    install_read_models(settings.database_url)


def demo(settings: Settings, _: argparse.Namespace) -> None:
    """Add the demo data, and show its keys."""
    store = tenants.opened(settings)
    try:
        add_demo(store)
    finally:
        store.close()
    for slug, key in KEYS.items():
        say(f"{slug}  {key}")


def asyncapi(_: Settings, __: argparse.Namespace) -> None:
    """Write the AsyncAPI document."""
    say(encoded().decode())


SLUG = Argument("slug", "what it is called in URLs and requests")
NAME = Argument("--name", "how it is displayed; the slug by default")
OWNER = Argument("--organization", "slug of its organization", needed=True)
WITHIN = Argument("--organization", "slug of the organization")
CLIENT = Argument("--client", "slug of the client", needed=True)
PUBLIC_ID = Argument("public_id", "what the key is shown as, with or without dm_")
CONTACT = Argument("contact", "id or address of the contact")
SCOPE = (Argument("--audience", "slug of the audience", needed=True), CLIENT, WITHIN)
AS_OF = Argument("--as-of", "a time (ISO 8601) or a log position; now by default")
FROM = Argument("--from", "the earlier moment, a time or a log position", needed=True)
TO = Argument("--to", "the later moment; now by default")
CURSOR = Argument("--cursor", "behind which contact to go on")
FILE = Argument("file", "the document as JSON")
CAMPAIGN = (
    Argument("campaign", "external key of a campaign of --client, or a campaign's number"),
    Argument("--client", "slug of the client"),
    WITHIN,
)
MAILS = (
    Argument("campaign", "external key of a campaign of --client, a campaign's number, or transactional"),
    *CAMPAIGN[1:],
)
RELEASED = Argument(
    "ids",
    "ids of contacts, of messages for transactional, separated by commas, or all: SES is known not to have the mail",
)
JOB = Argument("id", "number of the import job")
DRY_RUN = Argument("--dry-run", "only count", switch=True)
MODEL = Argument("name", "the read model, or all")
CREW = Argument("--processes", "how many to read and fold with; 1 by default")
LETTER = Argument("id", "what dead-letters list calls it")
VALUES = Argument("--show-values", "show what differs, personal data included", switch=True)

COMMANDS = (
    Command("migrate", migrate, "create the tables that the database lacks"),
    Command("asyncapi", asyncapi, "write the AsyncAPI document of the Kafka topics"),
    Command("demo", demo, "add the demo data with its public keys"),
    Command("organizations create", tenants.create_organization, "make an organization", (SLUG, NAME)),
    Command("organizations list", tenants.list_organizations, "show all organizations"),
    Command("audiences create", tenants.create_audience, "make an audience", (SLUG, OWNER, NAME)),
    Command("audiences list", tenants.list_audiences, "show audiences", (WITHIN,)),
    Command("clients create", tenants.create_client, "make a client", (SLUG, OWNER, NAME)),
    Command("clients list", tenants.list_clients, "show clients", (WITHIN,)),
    Command("clients activate", tenants.activate_client, "let a client make calls again", (SLUG, WITHIN)),
    Command("clients deactivate", tenants.deactivate_client, "stop a client from making calls", (SLUG, WITHIN)),
    Command(
        "keys create",
        tenants.create_key,
        "make an API key and show it once",
        (CLIENT, WITHIN, Argument("--name", "what it is for", needed=True), Argument("--notes", "for operators")),
    ),
    Command("keys list", tenants.list_keys, "show the keys of a client", (CLIENT, WITHIN)),
    Command("keys revoke", tenants.revoke_key, "make a key open nothing any more", (PUBLIC_ID, CLIENT, WITHIN)),
    Command("contacts show", contacts.show, "show a contact as of a moment", (CONTACT, *SCOPE, AS_OF)),
    Command("contacts diff", contacts.diff, "show what changed about a contact", (CONTACT, *SCOPE, FROM, TO)),
    Command("campaigns why", campaigns.why, "show why a campaign mailed a contact or not", (*CAMPAIGN, CONTACT)),
    Command(
        "campaigns audience",
        campaigns.audience,
        "show whom a campaign means at a moment, and who of them gets no mail",
        (*CAMPAIGN, AS_OF, Argument("--limit", "how many contacts to show; 50 by default"), CURSOR),
    ),
    Command("imports undo", imports.undo_import, "take an import back, but for what changed since", (JOB, DRY_RUN)),
    Command("projections status", projections.status, "show how far read models are, and what is built for them"),
    Command("projections rebuild", projections.rebuild_models, "build read models anew from the log", (MODEL, CREW)),
    Command("projections verify", projections.verify_models, "compare read models with the log", (MODEL, VALUES, CREW)),
    Command("projections unpark", projections.unpark, "have a parked read model try again", (MODEL,)),
    Command(
        "dead-letters list",
        dead_letters.show,
        "show what was given up",
        (Argument("--kind", "webhook, feedback or projection; all by default"),),
    ),
    Command("dead-letters retry", dead_letters.retry, "try what was given up again", (LETTER,)),
    Command("dead-letters drop", dead_letters.drop, "forget what was given up", (LETTER,)),
    Command("messages unconfirmed", messages.show, "show mail that SES never answered for", MAILS),
    Command("messages release", messages.release, "send again what SES does not have", (*MAILS, RELEASED)),
    Command("consent verify", contacts.verify, "check a consent proof against the log", (FILE,)),
)


def parser(commands: Sequence[Command] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of the commands, those with two words below their first one."""
    top = argparse.ArgumentParser(prog="datamailer", description="Operate Datamailer.")
    firsts = top.add_subparsers(required=True, metavar="command")
    groups: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in commands:
        first, _, second = command.words.partition(" ")
        place = firsts
        if second and first not in groups:
            groups[first] = firsts.add_parser(first, help=f"{first}: see datamailer {first} --help").add_subparsers(
                required=True, metavar="command"
            )
        if second:
            place = groups[first]
        own = place.add_parser(second or first, help=command.about, description=command.about)
        own.set_defaults(run=command.run)
        for argument in command.arguments:
            add_argument(own, argument)
    return top


def add_argument(own: argparse.ArgumentParser, argument: Argument) -> None:
    """Have a parser take an argument."""
    if argument.switch:
        own.add_argument(argument.flag, help=argument.about, action="store_true")
    elif argument.flag.startswith("--"):
        own.add_argument(argument.flag, help=argument.about, required=argument.needed, default="")
    else:
        own.add_argument(argument.flag, help=argument.about)


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; give its exit status."""
    arguments = parser().parse_args(words)
    try:
        arguments.run(Settings.read(with_stack()), arguments)
    except BadSettingsError as error:
        sys.stderr.writelines(f"{problem}\n" for problem in error.problems)
        return MISUSED
    except (CommandError, DemoError, WrongMasterKey) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except UnknownEvent as error:
        sys.stderr.write(f"The log holds an event that this version does not know: {error.topic}.\n")
        return FAILED
    except psycopg.errors.UndefinedTable:
        sys.stderr.write("The database has no tables yet: run datamailer migrate.\n")
        return FAILED
    except (Unavailable, psycopg.OperationalError, PersistenceError):
        sys.stderr.write("The database cannot be reached.\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
