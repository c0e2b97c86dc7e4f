//! The binary: parses nothing, decides nothing; `cli` does.

use std::process::ExitCode;

fn main() -> ExitCode {
    emcon::cli::main()
}
