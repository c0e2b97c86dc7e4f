//! What the configuration files say, checked.
