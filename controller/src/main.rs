//! The binary `longshore`.

use std::process::ExitCode;

fn main() -> ExitCode {
    controller::cli::main()
}
