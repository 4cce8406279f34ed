"""The world of ``scripts/bench pacing``: its days, the dialers that live in it, what is known of both."""
