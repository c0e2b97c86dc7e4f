//! Raised, updated, acknowledged, resolved.
