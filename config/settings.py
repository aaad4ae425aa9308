"""One settings file; everything that differs between installations comes from the environment (see .env.example)."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pghistory

from config import embedded, env
from config.mail import CONSOLE, read_mail_settings

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.text("SECRET_KEY") or embedded.secret_key()
ALLOWED_HOSTS = env.text("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in env.text("CSRF_TRUSTED_ORIGINS").split(",") if origin]
SITE_NAME = "Perennial"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_tables2",
    "django_htmx",
    "pgtrigger",
    "pghistory",
    "allauth",
    "allauth.account",
    "accounts",
    "renewals",
    "forecasting",
    "engagement",
    "dashboards",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.security.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.moments.CompanyTimeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.shell",
            ],
        },
    }
]


# Database: one PostgreSQL. A URL keeps compose files and hosting panels simple.
# Behind a pooler that lends a connection for one transaction, what is prepared on it is gone with the next: no, there.
PREPARED_STATEMENTS = env.flag("PREPARED_STATEMENTS", default=True)


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise SystemExit(f"DATABASE_URL must start with postgresql://, not {parts.scheme}://.")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    if PREPARED_STATEMENTS:
        # What is prepared (config.prepared) is planned once, and not five times before PostgreSQL trusts its plan.
        options["options"] = f"-c plan_cache_mode=force_generic_plan {options.get('options', '')}".strip()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": options.pop("port", "") or str(parts.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": not PREPARED_STATEMENTS,
        "OPTIONS": options,
    }


DATABASES = {"default": _database(env.text("DATABASE_URL") or embedded.database_url())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sessions and rate limits live in PostgreSQL, so a stopped broker never signs anybody out.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
    }
}

SESSION_ENGINE = "config.sessions"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.AccountBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/renewals/"
ACCOUNT_ADAPTER = "accounts.adapter.ClosedSignUpAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,20/5m/ip", "login": "30/m/ip"}

# Celery; what beat sends, and when, is in config.celery. Delivery settings follow docs/architecture.md section 4:
# a killed worker's task is back within seconds, and as none outlives the visibility timeout, none runs twice at once.
REDIS_URL = env.text("REDIS_URL") or embedded.redis_url()
if urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
    raise SystemExit(f"REDIS_URL must start with redis://, rediss:// or unix://, not {urlsplit(REDIS_URL).scheme}://.")
CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_SOFT_TIME_LIMIT = 1700
CELERY_TASK_DEFAULT_QUEUE = "perennial"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_500_000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 4000,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
}
CELERY_TIMEZONE = "UTC"

# Time: dates are business dates in the company's zone (accounts.Company); moments are UTC.
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en-gb"
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT") or embedded.home() / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
# Hashed names need a collected folder; tests and DEBUG read the sources directly.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if env.flag("STATIC_UNHASHED", DEBUG)
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = env.flag("STATIC_UNHASHED", DEBUG)

# Security. HTTPS=yes wherever other people reach the site; `make run` on one's own machine is plain http.
HTTPS = env.flag("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY") else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

# History: who did it and how travel with each event row as JSON, so a bulk edit needs no second table.
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)
# Every history table has an index that begins with it (config.history).
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(db_index=False)
HISTORY_RETENTION_DAYS = env.number("HISTORY_RETENTION_DAYS", 800)

# Who marks the rows of the table by their accounts (renewals.table.rows), besides what the rows themselves hold.
ROW_MARKS = "engagement.flags.marks"
# Who answers renewals.scoring; see there.
SCORING_BACKEND = "forecasting.backend"

# Imports
IMPORT_MAX_BYTES = env.number("IMPORT_MAX_MEGABYTES", 200) * 1024 * 1024
IMPORT_MAX_UNPACKED_BYTES = env.number("IMPORT_MAX_UNPACKED_MEGABYTES", 600) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# What leaves the house: docs/mail.md, docs/webhooks.md. Mail waits in a table until the server takes it.
globals().update(read_mail_settings(env.text("EMAIL_URL", CONSOLE)))
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "Perennial <perennial@localhost>")
# Where people reach the site: links in mail and webhooks begin with it.
SITE_URL = env.text("SITE_URL", f"http://localhost:{env.number('PORT', 8000)}").rstrip("/")
# To customers: how many mails one person sends in an hour, and one contact gets in a day.
MAIL_HOURLY_LIMIT = env.number("MAIL_HOURLY_LIMIT", 60)
MAIL_DAILY_LIMIT_OF_CONTACT = env.number("MAIL_DAILY_LIMIT_OF_CONTACT", 3)
# Tests and development only: endpoints on this machine or network, without https.
WEBHOOK_ALLOW_PRIVATE = env.flag("WEBHOOK_ALLOW_PRIVATE")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
}
