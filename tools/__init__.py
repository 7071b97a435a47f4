"""What `./dev` runs: servers, processes, mailbox, schema, backups, measures; the tests import them too."""
