from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0011_read_by_the_clock'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='numbers',
            field=models.CharField(blank=True, db_default='', default='', max_length=12, verbose_name='numbers'),
        ),
    ]
