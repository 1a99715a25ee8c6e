"""Which system a kernel is compiled for: the length of a tuple, which numba knows when it compiles."""

from __future__ import annotations

Kind = tuple[int, ...]
TUNNEL, QUADRATURE, MIXTURE, PHI4, DIMER, POLYMER = 1, 2, 3, 4, 5, 6
