//! The harness as a program; everything is in the library, so that tests can do what an operator does.

use std::process::ExitCode;

fn main() -> ExitCode {
    host_harness::cli::main()
}
