//! The binary: parses nothing, decides nothing; `cli` does.
fn main() {}
