from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('incentives', '0005_each_team_is_its_own'),
    ]

    operations = [
        migrations.AddField(
            model_name='component',
            name='takes_effect_on',
            field=models.DateField(blank=True, null=True, verbose_name='takes effect on'),
        ),
    ]
