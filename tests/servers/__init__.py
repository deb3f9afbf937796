"""Real servers for the tests: PostgreSQL, Dovecot, Postfix, smtp-sink and a cuttable wire.

Each is a private copy started from the installed binaries, on loopback ports picked free, in a
directory of its own under the system's temporary directory, and ended by its own process id. No
system service is used or touched. `make test` installs what is missing where it may.

Where a server's binary is missing, a test that needs it is skipped and says so; with
HUB_TEST_REQUIRE_SERVERS=1, which `make test` sets, it fails instead.

    with Authority() as authority, Dovecot(authority) as dovecot:
        dovecot.add_user("shop@hub.example", "secret")
        dovecot.deliver(raw, "shop@hub.example")

Fixtures that hand these out stand in tests/servers/fixtures.py.
"""
