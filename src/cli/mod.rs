//! Verbs, options and exit statuses.

mod args;
mod exit;
mod quantity;
