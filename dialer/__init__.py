"""An outbound dialer for call centres, on Asterisk."""
