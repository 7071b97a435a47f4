#!/usr/bin/env python
"""Django's command line. `./dev manage …` runs it with the services started."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmcycle.settings")
    os.environ.setdefault("PMCYCLE_PROCESS", "command")
    execute_from_command_line(sys.argv)
