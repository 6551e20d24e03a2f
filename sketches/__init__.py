"""Sketches and estimators of distinct values."""

from paretosql.sketches.estimators import Estimate, estimate, estimator, estimators
from paretosql.sketches.grouped import GroupedSketch
from paretosql.sketches.hashing import hash64
from paretosql.sketches.profile import ProfileSketch

__all__ = ["Estimate", "GroupedSketch", "ProfileSketch", "estimate", "estimator", "estimators", "hash64"]
