"""Django's settings. Reads the environment and config/app.yaml once; wrong values stop the process here.

Names other code relies on: HOME_DIR, LEVI_CONFIG, LEVI_MODE, ENCRYPTION_KEY, AUDIT_KEY, AUDIT_ANCHOR_FILE, STOP_FLAG,
INSTANCE_ID, BUILD, SIMULATOR_URL, METRICS_DIR, EMBEDDED_SERVERS. DEBUG is off by default; no secret has a default.
"""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from levi_site.beat_schedule import BEAT_SCHEDULE
from levi_site.build_id import get_build
from levi_site.celery_settings import CELERY_SETTINGS
from levi_site.config import load_config
from levi_site.content_security import STRICT_POLICY
from levi_site.database_url import parse_database_url
from levi_site.env import REPO_DIR, EnvironmentVariables, SettingError
from levi_site.logging_setup import make_logging_config
from levi_site.redaction import register_secret
from levi_site.secret_files import get_instance_id, get_secret, make_private_dir
from levi_site.unfold_settings import UNFOLD as UNFOLD
from trading.failpoints import FailpointMisuse, arm_from_text

try:
    env = EnvironmentVariables.load()
    HOME_DIR: Path = env.home_dir
    LEVI_CONFIG = load_config(
        Path(env.text("LEVI_CONFIG") or REPO_DIR / "config" / "app.yaml"),
        mode_override=env.text("LEVI_MODE"),
    )
    LEVI_MODE: str = LEVI_CONFIG.live.mode
    SECRET_KEY = get_secret(env, "SECRET_KEY", mode=LEVI_MODE)
    ENCRYPTION_KEY = get_secret(env, "LEVI_ENCRYPTION_KEY", mode=LEVI_MODE)
    AUDIT_KEY = get_secret(env, "LEVI_AUDIT_KEY", mode=LEVI_MODE)
    INSTANCE_ID = get_instance_id(HOME_DIR)
    DEBUG = env.flag("DEBUG")
    # The panel is served over https (directly or by a proxy). The paper demo on http://127.0.0.1 is not.
    HTTPS = env.flag("LEVI_HTTPS", default=LEVI_MODE != "paper")
    DATABASES = {
        "default": parse_database_url(
            env.text("DATABASE_URL"), application_name=env.text("LEVI_ROLE", "levi")
        )
    }
    # API keys given by environment: stored encrypted for the venue's account at set-up, in testnet and production.
    VENUE_KEYS = {
        venue: (env.text(f"{venue.upper()}_KEY"), env.text(f"{venue.upper()}_SECRET"))
        for venue in LEVI_CONFIG.exchange
    }
    REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
    LOG_LEVEL = env.text("LEVI_LOG_LEVEL", "INFO").upper()
    LOGGING = make_logging_config(env.text("LEVI_LOG_FORMAT", "text"), LOG_LEVEL)
    FAILPOINTS = env.text("FAILPOINTS")
    arm_from_text(FAILPOINTS, LEVI_MODE, HOME_DIR / "run" / "failpoints.log")
except (SettingError, FailpointMisuse) as error:
    raise ImproperlyConfigured(str(error)) from None

for secret in (
    SECRET_KEY,
    ENCRYPTION_KEY,
    AUDIT_KEY,
    *(part for keys in VENUE_KEYS.values() for part in keys),
):
    if secret:
        register_secret(secret)

BUILD = get_build()
SIMULATOR_URL = env.text("SIMULATOR_URL")
EMBEDDED_SERVERS = env.words("LEVI_EMBEDDED_SERVERS")
# Worth as much as its distance to the database: another disk, or a mount of another host.
AUDIT_ANCHOR_FILE = Path(env.text("AUDIT_ANCHOR_FILE") or HOME_DIR / "audit" / "anchors.jsonl")
STOP_FLAG = HOME_DIR / "run" / "stop.flag"
METRICS_DIR = HOME_DIR / "run" / "metrics"
ROOM_FOR_COUNTERS = 16 << 20
STATIC_ROOT = HOME_DIR / "static"
for folder in (HOME_DIR, HOME_DIR / "run", METRICS_DIR, STATIC_ROOT):
    make_private_dir(folder)
# prometheus_client decides at its first import whether counters are shared between processes.
# Its files are mapped: on a full disk the first count kills the process, so a command (a halt, above all) has its own.
ROLE = env.text("LEVI_ROLE")
if ROLE or shutil.disk_usage(METRICS_DIR).free > ROOM_FOR_COUNTERS:
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(METRICS_DIR))
WORKER_ROLES = ("levi-orders", "levi-background", "levi-beat", "levi-supervisor", "levi-streams")

INSTALLED_APPS = [
    "levi_site.apps.SiteConfig",
    "trading.apps.TradingConfig",
    "unfold",
    # Only processes that show the panel load its pages.
    "django.contrib.admin.apps.SimpleAdminConfig" if ROLE in WORKER_ROLES else "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_celery_beat",
    "axes",
    "csp",
]
MIDDLEWARE = [
    "levi_site.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "levi_site.content_security.BrowserHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "trading.sign_in.gate.SignInGate",
    "trading.admin.step_up.StepUp",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "levi_site.urls"
WSGI_APPLICATION = "levi_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [REPO_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False  # a redirect would turn a POST into a GET
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en-us"
USE_I18N = False

STATIC_URL = "/static/"
# Served straight from the installed packages: nothing to collect, nothing that can be stale.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- sign-in -----------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 15}),
        ("CommonPasswordValidator", {}),
    )
] + [{"NAME": "trading.sign_in.passwords.SessionsEnd"}]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
# Locks a person-and-address pair, never an address or a person alone: neither a bad script behind a shared address
# nor somebody far away who knows a name can keep an operator from signing in to stop trading.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "trading.sign_in.addresses.client_address"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_HTTP_RESPONSE_CODE = 429
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# --- browser security --------------------------------------------------------------------------------------------
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", ("127.0.0.1", "localhost", "[::1]") if LEVI_MODE == "paper" else ()
)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
CSRF_FAILURE_VIEW = "levi_site.error_pages.too_late"
# Browsers share cookies between ports: the instance id keeps two installations on one host apart.
COOKIE_PREFIX = ("__Host-" if HTTPS else "") + f"levi_{INSTANCE_ID}_"
SESSION_COOKIE_NAME = COOKIE_PREFIX + "session"
CSRF_COOKIE_NAME = COOKIE_PREFIX + "csrf"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
# Probes and the scraper come over the inner network.
SECURE_REDIRECT_EXEMPT = [r"^healthz/", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if env.flag("LEVI_TRUST_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = STRICT_POLICY
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# --- API ---------------------------------------------------------------------------------------------------------
# /metrics is open to the host itself; this opens it to whoever can reach the port (an inner network).
METRICS_OPEN = env.flag("LEVI_METRICS_OPEN")
# The endpoints carry their own classes (trading.api.endpoint); these close what forgets to inherit them.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "trading.api.authentication.TokenAuthentication",
        "trading.api.authentication.PanelSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["trading.api.access.HasNeededRight"],
    "DEFAULT_RENDERER_CLASSES": ["trading.api.rendering.PlainJsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["trading.api.bodies.StrictJsonParser"],
    "EXCEPTION_HANDLER": "trading.api.errors.handle_exception",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Levi",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "A control panel between trading signals and crypto exchanges. Guide: docs/api.md.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["trading.api.schema.drop_slash_twins"],
    "POSTPROCESSING_HOOKS": ["trading.api.schema_errors.add_errors"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Celery ------------------------------------------------------------------------------------------------------
globals().update({f"CELERY_{name}": setting for name, setting in CELERY_SETTINGS.items()})
CELERY_BROKER_URL = REDIS_URL
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
# Only background workers answer remote control: nobody who can write to Redis may steer the order path.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
