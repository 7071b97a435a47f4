from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0017_newest_milestones"),
    ]

    operations = [
        migrations.AddField(
            model_name="sentform",
            name="stood_on",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="notice",
            name="due_zone",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
