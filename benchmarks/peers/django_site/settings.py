"""The settings of a minimal django-oauth-toolkit server, as its documentation begins one.

`DATABASE_URL`, `DATABASE_HOST`, `ISSUER` and `OIDC_KEY` (PEM) come from the environment.
"""

import os
from urllib.parse import urlsplit

DATABASE = urlsplit(os.environ["DATABASE_URL"])
SECRET_KEY = "of a benchmark"
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "django_site.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "oauth2_provider",
    "django_site",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE.path.lstrip("/"),
        "USER": DATABASE.username,
        "PASSWORD": DATABASE.password or "",
        "HOST": os.environ["DATABASE_HOST"],
        "PORT": DATABASE.port or "",
        "CONN_MAX_AGE": None,
    }
}
OAUTH2_PROVIDER = {
    "SCOPES": {"openid": "OpenID", "profile": "Profile", "records": "Records", "introspection": "Introspection"},
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": os.environ["ISSUER"],
    "OIDC_RSA_PRIVATE_KEY": os.environ["OIDC_KEY"],
    "PKCE_REQUIRED": True,
    "ROTATE_REFRESH_TOKEN": True,
}
