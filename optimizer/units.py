"""Units that several modules convert between, and the few numbers on which all of them agree."""

from __future__ import annotations

from typing import Final

GIB: Final = float(1 << 30)  # bytes
MIB_PER_GIB: Final = 1024.0
LEAST_S: Final = 1e-3  # section 11: predictions are clipped at 1 ms
PRICES: Final = (1.0, 0.25)  # section 3: per core and second, per GiB and second
