//! Every check and test, as CI runs them: quick ones first, stopping at the first that fails.

mod binaries;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::say::{duration, say};
use crate::shell::{cargo, must, npm};
use crate::{deny, dictionaries, package, python, setup, types, ui};

/// Tells the system tests that the binaries are built, so that they need not ask cargo.
const BUILT: (&str, &str) = ("VENDLOG_TESTS_BUILT", "1");

/// Runs everything.
///
/// # Errors
/// The first step that failed; its output stands above.
pub fn run() -> Result<()> {
    let began = Instant::now();
    let mut steps = Steps::default();
    steps.step("setup", || setup::all(setup::For::Test))?;
    steps.step("format", || must(cargo(&["fmt", "--all", "--", "--check"])))?;
    steps.step("ui lint", || must(npm(&["run", "--silent", "lint"])))?;
    steps.step("ui types", || must(npm(&["run", "--silent", "check"])))?;
    steps.step("ui tests", || must(npm(&["run", "--silent", "test"])))?;
    steps.step("ui build", ui::build)?;
    steps.step("deny", deny::check)?;
    steps.step("clippy", || {
        let scope = ["clippy", "--workspace", "--all-targets"];
        must(cargo(&[&scope[..], &["--", "-D", "warnings"]].concat()))
    })?;
    steps.step("build", || {
        must(cargo(&["build", "--workspace", "--all-targets"]))
    })?;
    steps.step("api types", types::check)?;
    steps.step("dictionaries", dictionaries::check)?;
    steps.step("packages", package::for_tests)?;
    let mut counts = Counts::default();
    steps.step("tests", || {
        counts = binaries::run()?;
        Ok(())
    })?;
    // Examples in documentation: there are few, and cargo alone knows how to run them.
    steps.step("doc tests", || {
        must(cargo(&["test", "--workspace", "--doc", "--quiet"]))
    })?;
    steps.step("python", || {
        counts.passed += python::test()?;
        Ok(())
    })?;
    steps.print(began.elapsed());
    println!(
        "{} passed, 0 failed, {} skipped",
        counts.passed, counts.skipped
    );
    if counts.passed == 0 {
        bail!("no test was run");
    }
    Ok(())
}

#[derive(Default)]
struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn step(&mut self, name: &'static str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        say("test", format!("-- {name}"));
        let began = Instant::now();
        let result = run();
        let spent = began.elapsed();
        self.0.push((name, spent));
        match result {
            Ok(()) => say("test", format!("-- {name}: good after {}", duration(spent))),
            Err(_) => self.print(self.0.iter().map(|(_, spent)| *spent).sum()),
        }
        result.with_context(|| format!("{name} failed"))
    }

    fn print(&self, whole: Duration) {
        for (name, spent) in &self.0 {
            say("test", format!("{name:<10} {:>12}", duration(*spent)));
        }
        say("test", format!("{:<10} {:>12}", "all", duration(whole)));
    }
}

#[derive(Default)]
struct Counts {
    passed: u64,
    skipped: u64,
}

/// Passed and ignored of `test result: ok. 9 passed; 0 failed; 0 ignored; …`.
fn result_line(line: &str) -> Option<(u64, u64)> {
    let counts = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        let before = counts.split_once(&format!(" {word}"))?.0;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    };
    Some((number("passed")?, number("ignored")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_line_of_cargo_test_is_counted() {
        let line = "test result: ok. 9 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out";
        assert_eq!(result_line(line), Some((9, 2)));
        assert_eq!(result_line("running 9 tests"), None);
    }
}
