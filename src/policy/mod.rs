//! Levels, bans and the ambient baseline.
