//! Composition root: what the verbs do.
