from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0016_lives'),
        ('cycles', '0006_rules_act_from_now_on'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='milestone',
            name='milestone_of_cycle',
        ),
        migrations.AddIndex(
            model_name='milestone',
            index=models.Index(models.F('cycle'), models.F('kind'), models.OrderBy(models.F('at'), descending=True), name='milestone_newest'),
        ),
    ]
