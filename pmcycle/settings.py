"""Every setting, for every place pmcycle runs.

What differs between places comes from the environment; `.env.example` lists the names.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
import structlog
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

# Lets annotations such as ModelForm[User] exist at run time.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
# A default key exists for development only: without DEBUG a missing key stops the start.
SECRET_KEY = (
    env.str("SECRET_KEY", default="only-for-development") if DEBUG else env.str("SECRET_KEY")
)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# --- Where we are served --------------------------------------------------------------------------

# The address people type. Mails are written by workers, which see no request to take it from.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(SITE_URL).hostname])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])

HTTPS = env.bool("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
# Probes come from inside, in plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Preloading binds a company's whole domain for years; that is for the company to decide.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "pmcycle.errors.csrf_failure"
# True only behind a proxy that always sets these headers itself, else a client could forge them.
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = env.int("PROXY_COUNT", default=1)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # The nonce is sent only on pages that ask for one.
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
        "frame-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

# --- The application ------------------------------------------------------------------------------

INSTALLED_APPS = [
    "pmcycle.people",
    "pmcycle.activity",
    "pmcycle.cycles",
    "pmcycle.home",
    "feedback",
    "goals",
    "appraisals",
    "incentives",
    "evaluations",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_htmx",
    # The simple configuration leaves the template loaders to us, below.
    "template_partials.apps.SimpleAppConfig",
    "django_structlog",
    "pgtrigger",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    # Tools of development, which production does not install.
    *env.list("EXTRA_APPS", default=[]),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    # Before whatever may refuse or fail: each answer has a number that the log knows.
    "django_structlog.middlewares.RequestMiddleware",
    "pmcycle.errors.ReferenceMiddleware",
    "pmcycle.errors.SizeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Within what measures the answer.
    "pmcycle.ui.direction.DirectionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pmcycle.people.middleware.FirstVisitMiddleware",
    "pmcycle.people.middleware.LocalTimeMiddleware",
    "pmcycle.errors.MissingMiddleware",
    "pmcycle.errors.RefusedMiddleware",
    "pmcycle.people.middleware.Noted",
    "pmcycle.activity.given_back.GivenBackMiddleware",
    # Around what judges again, so that this sees which transactions are the actions'.
    "pmcycle.activity.once.OnceMiddleware",
    "pmcycle.people.middleware.JudgedAgain",
]

ROOT_URLCONF = "pmcycle.urls"
# The table of what each stage does in which app; like the URLs, it names what lies above its reader.
STAGES = "pmcycle.stages.STAGES"
# What is open and what was reached, defined by the apps; `activity` keeps it as rows.
TO_DOS = "pmcycle.home.contributions.DEFINITIONS"
# What ends with an account in the apps above `people`.
ACCOUNT_KEYS = "pmcycle.home.contributions.ACCOUNT_KEYS"
# What the button of a mail is called.
BUTTONS = "pmcycle.home.contributions.button_of"
# What somebody else's reminder was about, for those who look after reminders.
TASKS = "pmcycle.home.contributions.task_of"
# What somebody began in forms that keep it themselves, beside the drafts of all others.
BEGUN = "pmcycle.home.unsent.begun_by"
# Who runs the system and is told when long work breaks.
OPERATORS = "pmcycle.people.models.it_admins"
WSGI_APPLICATION = "pmcycle.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_files: list[Any] = [
    "pmcycle.ui.loaders.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            # In development an edited template shows at the next request, under gunicorn too.
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _files if DEBUG else [("django.template.loaders.cached.Loader", _files)],
                )
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "pmcycle.ui.tags",
                "pmcycle.ui.pages",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "pmcycle.home.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "pmcycle.ui.widgets.Renderer"

# --- Data -----------------------------------------------------------------------------------------

# Seconds after which a task is killed, and after which a task nobody finished is handed out again.
LONGEST_TASK = 15 * 60

# What a process is decides how long it may keep the database waiting: the web server says so in `wsgi.py`,
# commands in `manage.py`; everything else is a worker, whose long work is one transaction.
PROCESS = env.str("PMCYCLE_PROCESS", default="worker")
# Seconds for a lock, for one statement, and for a transaction in which nothing happens; 0 is for ever.
PATIENCE = {"web": (5, 25, 30), "worker": (60, LONGEST_TASK, LONGEST_TASK), "command": (60, 0, 0)}
_lock, _statement, _idle = (1000 * seconds for seconds in PATIENCE[PROCESS])
# What every connection of ours asks for, wherever the database runs; `manage.py check --database default`
# says what of it is not in force.
DATABASE_SETTINGS = {
    # To compile a plan takes longer than to run it, for every statement of ours.
    "jit": "off",
    # Disks of today read in any order as quickly as in turn.
    "random_page_cost": "1.1",
    "lock_timeout": str(_lock),
    "statement_timeout": str(_statement),
    "idle_in_transaction_session_timeout": str(_idle),
    # A process that was killed leaves its statement running, with its locks; it is looked for so often (ms).
    "client_connection_check_interval": "5000",
}
_database = env.db("DATABASE_URL")
DATABASE_OPTIONS = " ".join(f"-c {name}={value}" for name, value in DATABASE_SETTINGS.items())
# What the address sets itself, in `?options=`, counts before ours.
_options = {
    # A server that is gone without a word is noticed; none of it matters for a unix socket.
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    **_database.get("OPTIONS", {}),
    "options": f"{DATABASE_OPTIONS} {_database.get('OPTIONS', {}).get('options', '')}",
}

DATABASES = {
    "default": {
        **_database,
        "OPTIONS": _options,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # Actions open their own transactions, around the lock and the rule it protects.
        "ATOMIC_REQUESTS": False,
    }
}

# Whether each connection keeps the plans of what every page asks. A pooler that gives a connection another
# server from transaction to transaction knows none of them: set KEEPS_PLANS=0 behind one.
KEEPS_PLANS = env.bool("KEEPS_PLANS", default=True)

REDIS_URL = env.str("REDIS_URL")
# Only the sign-in library counts in the cache. Its table is in PostgreSQL, so that nobody is kept out while
# Redis does not answer, and no count is lost with it.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "activity_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# How often in how many seconds. What does not say otherwise is counted for each person.
LIMITS = {
    "api": (env.int("API_PER_MINUTE", default=600), 60),
    # A calendar program asks every quarter of an hour, or more often; counted for each address of a calendar.
    "calendar": (60, 3600),
    # Files, and pages that read or reckon everything.
    "costly": (60, 60),
    "search": (240, 60),
    "upload": (30, 600),
    # Passwords that were wrong: for one account from one address, from one address, for one account from
    # anywhere, and for one account from the browsers that its owner has signed in with.
    "password": (5, 300),
    "passwords_from_address": (60, 60),
    "passwords_of_account": (30, 300),
    "password_known_browser": (10, 300),
    # Mails with a link for a new password: asked for from one address, and sent to one account.
    "links_from_address": (60, 60),
    "links_to_account": (5, 3600),
    "setup_code_from_address": (20, 60),
}

MIB = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * MIB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * MIB
# A whole request with files in it: more than the largest import, whose own form answers what is over. Caddyfile
# says the same.
LARGEST_UPLOAD = 48 * MIB
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "pmcycle.people.parsers.TemporaryUpload",
]
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(BASE_DIR / "media"))

STATIC_URL = "static/"
# Where the daily seals of the trail lie: best where who can write to the database cannot write.
TRAIL_SEALS_DIR = env.str("TRAIL_SEALS_DIR", default=str(Path(MEDIA_ROOT) / "seals"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Sign-in --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["pmcycle.people.backends.Backend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

ACCOUNT_ADAPTER = "pmcycle.people.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# Addresses come from the people import, not from a visitor, so there is nothing to confirm.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
# Who has just chosen a password by the link of a mail need not type it a third time.
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "pmcycle.people.links.PasswordLinks"  # noqa: S105 (a class)
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# Passwords and links are counted by us, in LIMITS. By address only where the link of a mail is needed as well: on
# the first day a whole office chooses its passwords.
ACCOUNT_RATE_LIMITS = {
    "login": "",
    "login_failed": "5/5m/key",
    "reset_password": "",
    "reset_password_from_key": "300/m/ip",
}
MFA_RATE_LIMITS = {"webauthn_login": "300/m/ip"}
# Seconds for which the link to a new password is good.
PASSWORD_RESET_TIMEOUT = 24 * 3600
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"

# The address is the company's word, so nobody can lock its owner out by a sign-up that was not theirs.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "pmcycle"
# Browsers allow passkeys without TLS on the own machine.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG

# --- API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "pmcycle.people.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        *(["rest_framework.renderers.BrowsableAPIRenderer"] if DEBUG else []),
    ],
    "DEFAULT_PARSER_CLASSES": [
        "pmcycle.people.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_FILTER_BACKENDS": ["pmcycle.people.filters.Filtering"],
    "DEFAULT_PAGINATION_CLASS": "pmcycle.people.paging.Paging",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "pmcycle.errors.api_exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "pmcycle",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Fields of the same name in different apps, each with a name of its own.
    "ENUM_NAME_OVERRIDES": {
        "KeyResultKindEnum": "goals.models.KeyResult.Kind",
        "GoalVisibilityEnum": "goals.models.Goal.Visibility",
        "AppraisalKindEnum": "appraisals.models.Appraisal.Kind",
        "FeedbackKindEnum": "feedback.models.Feedback.Kind",
        "FeedbackVisibilityEnum": "feedback.models.Feedback.Visibility",
    },
}

# --- Jobs -----------------------------------------------------------------------------------------


def broker_url(redis_url: str) -> str:
    """Return the Redis address as Celery spells it: a unix socket has another scheme and names
    its database another way."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A frozen broker is noticed after so many seconds. A person waits for the web; the worker can wait longer.
BROKER_PATIENCE = env.int("BROKER_PATIENCE", default=1 if PROCESS == "web" else 10)
CELERY_BROKER_CONNECTION_TIMEOUT = BROKER_PATIENCE
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": BROKER_PATIENCE,
    "socket_connect_timeout": BROKER_PATIENCE,
    "visibility_timeout": 2 * LONGEST_TASK,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = LONGEST_TASK - 60
CELERY_TASK_TIME_LIMIT = LONGEST_TASK
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"

# --- Mail -----------------------------------------------------------------------------------------

_mail = env.email_url("EMAIL_URL", default="smtp://127.0.0.1:25")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"]
EMAIL_PORT = _mail["EMAIL_PORT"]
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM", default="pmcycle <pmcycle@localhost>")
# Where the mail of `./dev run` lies, so that a page can show it; unset everywhere else.
MAILBOX_DIR = env.str("MAILBOX_DIR", default="") or None

# --- Language and time ----------------------------------------------------------------------------

USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Logs -----------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")

_log_steps: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.StackInfoRenderer(),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_log_steps,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
_log_renderers: list[Any] = (
    [structlog.dev.ConsoleRenderer()]
    if DEBUG
    else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_log_renderers,
            ],
            "foreign_pre_chain": _log_steps,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # Django's own handlers would write every line a second time.
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
    },
}
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# Its own look for the user would ask the database again while the answer says that it is gone;
# `LocalTimeMiddleware` names the user in the log.
DJANGO_STRUCTLOG_USER_ID_FIELD = None
