"""Web chat: one script tag on a site, and its visitors become dialogs, answered live."""
