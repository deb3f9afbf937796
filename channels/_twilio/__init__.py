"""What the channels over Twilio share: the client on the hub's wire, signatures, errors, forms."""
