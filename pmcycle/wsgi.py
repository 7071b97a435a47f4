"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmcycle.settings")
os.environ.setdefault("PMCYCLE_PROCESS", "web")

application = get_wsgi_application()
