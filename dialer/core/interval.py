"""How sure a share is: so that nobody is blamed, or praised, for noise."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

#: How often the interval holds the true share.
CONFIDENCE = 0.95


def wilson(hits: int, tries: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The score interval of a share, both ends 0..1; (0, 1) without a try.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927);
    recommended for few tries by Brown, Cai and DasGupta, Statistical Science 16 (2001).

    Args:
        hits: How many of ``tries``.
        tries: Not negative.
        confidence: 0..1, both ends outside.
    """
    if tries == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, scale = hits / tries, 1 + z * z / tries
    middle = (share + z * z / (2 * tries)) / scale
    half = z * sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def verdict(hits: int, tries: int, usual: float, confidence: float = CONFIDENCE) -> str:
    """``above`` or ``below`` the usual share if the interval leaves it out, else ``usual``."""
    low, high = wilson(hits, tries, confidence)
    return "above" if low > usual else "below" if high < usual else "usual"
