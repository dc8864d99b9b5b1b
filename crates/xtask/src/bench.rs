//! Runs the benchmarks of `tests/benches`, each in its own release build.

use anyhow::Result;

use crate::shell::{cargo, must};
use crate::{setup, ui};

/// Runs one benchmark, or all.
///
/// # Errors
/// The build or the benchmark fails.
pub fn run(name: Option<&str>) -> Result<()> {
    setup::all(setup::For::Bench)?;
    ui::build()?;
    let mut arguments = vec!["bench", "--package", "tests"];
    match name {
        Some(name) => arguments.extend(["--bench", name]),
        None => arguments.push("--benches"),
    }
    must(cargo(&arguments))
}
