"""The product's settings, with the admin beside it."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as PRODUCT

INSTALLED_APPS = ["django.contrib.admin", *PRODUCT]
ROOT_URLCONF = "bench.admin_site.urls"
ALLOWED_HOSTS = ["*"]
