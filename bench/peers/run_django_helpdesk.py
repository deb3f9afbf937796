"""django-helpdesk's intake of letters, in the peer's own environment.

    python run_django_helpdesk.py FOLDER LETTERS

Reads each file of LETTERS as its `get_email` does for a local mailbox, into SQLite as Django sets
it up, with known senders and without its answers; prints the letters a second.
"""

import os
import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.core import management


def main(folder: str, letters: str) -> None:
    """Make a queue that reads the folder, and let it read."""
    settings.configure(
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.sites",
            "django.contrib.admin",
            "django.contrib.messages",
            "rest_framework",
            "helpdesk",
        ],
        MIDDLEWARE=[],
        ROOT_URLCONF=__name__,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": []},
            }
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(Path(folder) / "helpdesk.db"),
            }
        },
        MEDIA_ROOT=str(Path(folder) / "media"),
        MEDIA_URL="/media/",
        SECRET_KEY="bench",
        SITE_ID=1,
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        # Without teams, as its documentation says (docs/configuration.rst, "Teams").
        HELPDESK_TEAMS_MODEL="auth.User",
        HELPDESK_TEAMS_MIGRATION_DEPENDENCIES=[],
        HELPDESK_KBITEM_TEAM_GETTER=lambda _: None,
    )
    django.setup()
    management.call_command("migrate", verbosity=0)
    from django.contrib.auth import get_user_model
    from django.urls import include, path
    from helpdesk.email import process_email
    from helpdesk.models import EmailTemplate, FollowUp, Queue

    # What a ticket is found by stands in it, so that there have to be addresses.
    globals()["urlpatterns"] = [path("", include("helpdesk.urls", namespace="helpdesk"))]
    # Its answers are made of these.
    EmailTemplate.objects.all().delete()
    os.umask(0o077)
    for n in range(200):
        get_user_model().objects.create(username=f"p{n}", email=f"p{n}@away.example")
    Queue.objects.create(
        title="Shop", slug="shop", email_address="shop@hub.example", email_box_type="local",
        email_box_local_dir=letters, allow_email_submission=True, logging_type="none",
    )  # fmt: skip
    count = len(list(Path(letters).iterdir()))
    began = time.perf_counter()
    process_email(quiet=True)
    took = time.perf_counter() - began
    if FollowUp.objects.count() != count:
        raise SystemExit(f"{FollowUp.objects.count()} of {count} letters came in")
    print(count / took)


if __name__ == "__main__":
    main(*sys.argv[1:])
