//! The one reader of the machine's clocks.
