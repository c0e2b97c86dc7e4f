//! Verbs, options and exit statuses.

pub mod args;
pub mod exit;
pub mod quantity;
