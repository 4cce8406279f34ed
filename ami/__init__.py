"""Asterisk over AMI, typed. Knows nothing of campaigns."""
