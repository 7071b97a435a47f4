"""A trigger without the switch that pgtrigger puts before every other.

The switch lets a session pass triggers over. Reading it costs each row a savepoint that fails and
is rolled back, and that walks all foreign keys which still wait to be checked: a hundred thousand
rows in one transaction would take their square in time. A chain has no use for a switch either.
"""

from __future__ import annotations

import pgtrigger
from django.db import models
from pgtrigger import compiler


class WithoutSwitchSql(compiler.UpsertTriggerSql):
    """What installs the trigger. Migrations name this class, so a change here needs another one."""

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $$ {func} $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE TRIGGER {pgid} {when} {operation} ON {table}
                {referencing} FOR EACH {level} {condition} EXECUTE PROCEDURE {execute};
            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class WithoutSwitch(pgtrigger.Trigger):
    """A row or statement trigger that is never passed over."""

    def compile(self, model: models.Model) -> compiler.Trigger:
        compiled = super().compile(model)
        return compiler.Trigger(name=self.name, sql=WithoutSwitchSql(**compiled.sql.kwargs))
