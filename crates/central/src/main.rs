//! `vendlog-server`: central without a window. The commands are `central::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    central::cli::run()
}
