from django.db import migrations

# What is open about a team was one row for all teams of a run; the row that is there belongs to one of them.
TO_THE_ACT = """
UPDATE activity_todo t SET subject_id = handed_in.pk
FROM (SELECT run_id, manager_id, max(id) AS pk FROM incentives_approval GROUP BY run_id, manager_id) handed_in
WHERE t.kind = 'incentives:team' AND t.done_at IS NULL AND t.dropped_at IS NULL
  AND handed_in.run_id = t.subject_id AND handed_in.manager_id = t.about_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0010_find_exceptions'),
        ('incentives', '0004_pools_cover_what_is_given'),
    ]

    operations = [
        migrations.RunSQL(TO_THE_ACT, migrations.RunSQL.noop),
    ]
