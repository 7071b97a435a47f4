from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0014_read_by_the_clock'),
    ]

    operations = [
        migrations.AddField(
            model_name='sentform',
            name='said',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
    ]
