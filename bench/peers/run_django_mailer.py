"""django-mailer's queue to an SMTP server, in the peer's own environment.

    python run_django_mailer.py FOLDER PORT COUNT HTML_FILE

Queues that many personalised letters with its own backend on SQLite as Django sets it up and sends
them with its own `send_all`; prints the letters a second that left.
"""

import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.core import management


def main(folder: str, port: str, count: str, html: str) -> None:
    """Queue and send."""
    settings.configure(
        INSTALLED_APPS=["mailer"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(Path(folder) / "mailer.db"),
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        EMAIL_BACKEND="mailer.backend.DbBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=int(port),
        MAILER_LOCK_PATH=str(Path(folder) / "lock"),
        USE_TZ=True,
    )
    django.setup()
    management.call_command("migrate", verbosity=0)
    from django.core.mail import EmailMultiAlternatives, get_connection
    from mailer.engine import send_all
    from mailer.models import Message

    words = Path(html).read_text()
    with get_connection() as queue:
        for n in range(int(count)):
            name = f"Person{n}"
            letter = EmailMultiAlternatives(
                f"News for {name}", f"Hello, {name}!", "shop@hub.example",
                [f"p{n}@away{n % 50}.example"], connection=queue,
            )  # fmt: skip
            letter.attach_alternative(words.replace("{{ contact.first_name }}", name), "text/html")
            letter.send()
    began = time.perf_counter()
    send_all()
    took = time.perf_counter() - began
    if Message.objects.count():
        raise SystemExit("not all of them left")
    print(int(count) / took)


if __name__ == "__main__":
    main(*sys.argv[1:])
