"""A database as one file, and back: what `./dev backup` and `./dev restore` do, with PostgreSQL's own programs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from tools.services import postgres_binaries


def dump(url: str, file: Path) -> None:
    """Write the database into a file, as it is at one moment, while others go on writing to it."""
    unfinished = file.with_name(f"{file.name}.part")
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}", f"--dbname={url}")
    unfinished.rename(file)


def load(url: str, file: Path) -> None:
    """Read such a file into an empty database: all of it or nothing."""
    _run(
        "pg_restore",
        "--no-owner",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={url}",
        str(file),
    )
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute("ANALYZE")


def create(url: str) -> None:
    """Make an empty database of this name."""
    _on_server(url, sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(_name(url)))


def drop(url: str) -> None:
    """Remove the database of this name, whoever is connected to it."""
    _on_server(url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_name(url)))


def put_in_place(url: str, file: Path) -> str:
    """Make the file the database at this address. Returns under which name the one that was there is kept.

    It is read into a database of its own first, so that a file which cannot be read changes nothing.
    """
    there = _name_of(url)
    fresh = with_name(url, f"{there}_restoring")
    drop(fresh)
    create(fresh)
    try:
        load(fresh, file)
    except BaseException:
        drop(fresh)
        raise
    former = f"{there}_before_{time.strftime('%Y%m%d_%H%M%S')}"
    names = {
        "there": sql.Identifier(there),
        "former": sql.Identifier(former),
        "fresh": _name(fresh),
    }
    _on_server(
        url,
        sql.SQL("ALTER DATABASE {there} WITH ALLOW_CONNECTIONS false").format(**names),
        sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(
            sql.Literal(there)
        ),
        sql.SQL("ALTER DATABASE {there} RENAME TO {former}").format(**names),
        sql.SQL("ALTER DATABASE {former} WITH ALLOW_CONNECTIONS true").format(**names),
        sql.SQL("ALTER DATABASE {fresh} RENAME TO {there}").format(**names),
    )
    return former


def with_name(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _name_of(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/"))


def _name(url: str) -> sql.Identifier:
    return sql.Identifier(_name_of(url))


def _on_server(url: str, *statements: sql.Composed) -> None:
    with closing(psycopg2.connect(with_name(url, "postgres"))) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


def _run(program: str, *arguments: str) -> None:
    env = {**os.environ}
    env.pop("LD_LIBRARY_PATH", None)
    if subprocess.run([postgres_binaries() / program, *arguments], env=env).returncode:
        sys.exit(f"{program} failed; its words are above")
