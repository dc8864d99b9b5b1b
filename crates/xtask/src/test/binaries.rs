//! Every test binary of the workspace, two at a time: many of them wait for clocks, links and other
//! processes more than they compute. What a binary prints is shown whole when it ends.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{BUILT, Counts, result_line};
use crate::say::{duration, say};
use crate::shell::{cargo, root};

/// Binaries that run at the same time. More would make those wait that time something.
const AT_ONCE: usize = 2;
/// Binaries that took longest, shown at the end.
const SLOWEST_SHOWN: usize = 12;
/// The members whose tests take longest come first, so that none of them is left alone at the end.
const SLOW_MEMBERS: [&str; 3] = ["tests", "edge-agent", "central"];

/// A test binary.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binary {
    /// Member and target, for people.
    name: String,
    member: String,
    path: PathBuf,
    /// Where the member lies: tests run there.
    home: PathBuf,
}

/// Binaries that hold the product to fractions of a second: nothing runs beside them.
const ALONE: [&str; 3] = [
    "tests test python",
    "tests test window",
    "edge-agent test serial",
];

/// Builds and runs all of them, and counts what they say. All of them run, so that one run shows
/// everything that fails.
pub fn run() -> Result<Counts> {
    let mut binaries = built()?;
    binaries.sort_by_key(|binary| {
        let slow = SLOW_MEMBERS.iter().position(|m| *m == binary.member);
        (slow.unwrap_or(SLOW_MEMBERS.len()), binary.name.clone())
    });
    let is_alone = |binary: &Binary| ALONE.contains(&binary.name.as_str());
    let (alone, together) = binaries.into_iter().partition(is_alone);
    let mut ended = run_all(together, AT_ONCE);
    ended.extend(run_all(alone, 1));
    sum(ended)
}

/// Runs them, so many at a time.
fn run_all(binaries: Vec<Binary>, at_once: usize) -> Vec<(String, Result<Ended>)> {
    let waiting = Mutex::new(VecDeque::from(binaries));
    let ended = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                // One statement, so that the lock is given back before the test runs.
                let next = || waiting.lock().ok()?.pop_front();
                while let Some(binary) = next() {
                    let outcome = run_one(&binary);
                    if let Ok(mut ended) = ended.lock() {
                        ended.push((binary.name, outcome));
                    }
                }
            });
        }
    });
    ended.into_inner().unwrap_or_default()
}

/// The sum of what they said, or the names of those that failed.
fn sum(ended: Vec<(String, Result<Ended>)>) -> Result<Counts> {
    let (mut counts, mut failed, mut slowest) = (Counts::default(), Vec::new(), Vec::new());
    for (name, outcome) in ended {
        match outcome {
            Ok(ended) => {
                counts.passed += ended.counts.passed;
                counts.skipped += ended.counts.skipped;
                if !ended.is_good {
                    failed.push(name.clone());
                }
                slowest.push((ended.spent, name));
            }
            Err(error) => failed.push(format!("{name} ({error:#})")),
        }
    }
    slowest.sort_by(|a, b| b.cmp(a));
    for (spent, name) in slowest.iter().take(SLOWEST_SHOWN) {
        say("test", format!("{:>12}  {name}", duration(*spent)));
    }
    if !failed.is_empty() {
        bail!("these failed: {}", failed.join(", "));
    }
    Ok(counts)
}

struct Ended {
    counts: Counts,
    is_good: bool,
    spent: Duration,
}

fn run_one(binary: &Binary) -> Result<Ended> {
    let began = Instant::now();
    let output = Command::new(&binary.path)
        .current_dir(&binary.home)
        .env("CARGO_MANIFEST_DIR", &binary.home)
        .env(BUILT.0, BUILT.1)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", binary.path.display()))?;
    let spent = began.elapsed();
    let mut counts = Counts::default();
    let said = String::from_utf8_lossy(&output.stdout);
    for (passed, skipped) in said.lines().filter_map(result_line) {
        counts.passed += passed;
        counts.skipped += skipped;
    }
    let mut shown = std::io::stdout().lock();
    writeln!(shown, "\n     Running {}", binary.name)
        .and_then(|()| shown.write_all(&output.stdout))
        .and_then(|()| shown.write_all(&output.stderr))
        .context("cannot print")?;
    Ok(Ended {
        counts,
        is_good: output.status.success(),
        spent,
    })
}

/// Builds the test binaries and lists them.
fn built() -> Result<Vec<Binary>> {
    let format = "--message-format=json-render-diagnostics";
    let output = cargo(&["test", "--workspace", "--no-run", format])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo test")?;
    if !output.status.success() {
        bail!("the tests were not built ({})", output.status);
    }
    let messages = String::from_utf8(output.stdout).context("cargo printed what is no text")?;
    Ok(messages.lines().filter_map(binary).collect())
}

/// The test binary that a message of cargo is about.
fn binary(message: &str) -> Option<Binary> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["profile"]["test"] != true {
        return None;
    }
    let path = PathBuf::from(message["executable"].as_str()?);
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let home = manifest.parent()?.to_owned();
    let member = home.file_name()?.to_str()?.to_owned();
    let shown = home.strip_prefix(root()).unwrap_or(&home).display();
    let target = message["target"]["name"].as_str()?;
    let kind = message["target"]["kind"][0].as_str().unwrap_or_default();
    Some(Binary {
        name: format!("{shown} {kind} {target}"),
        member,
        path,
        home,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_binary_is_read_from_what_cargo_says() {
        let message = |test: bool, executable: &str| {
            serde_json::json!({
                "reason": "compiler-artifact",
                "manifest_path": "/somewhere/crates/wire/Cargo.toml",
                "target": {"name": "pack", "kind": ["test"]},
                "profile": {"test": test},
                "executable": executable,
            })
            .to_string()
        };
        let found = binary(&message(true, "/somewhere/pack-1")).expect("a binary");
        assert_eq!(found.name, "/somewhere/crates/wire test pack");
        assert_eq!(found.member, "wire");
        assert_eq!(found.home, Path::new("/somewhere/crates/wire"));
        assert_eq!(binary(&message(false, "/somewhere/wire")), None);
        assert_eq!(binary("Compiling"), None);
    }

    #[test]
    fn one_that_fails_or_cannot_start_is_named() {
        let ended = |is_good| {
            Ok(Ended {
                counts: Counts {
                    passed: 2,
                    skipped: 1,
                },
                is_good,
                spent: Duration::ZERO,
            })
        };
        let good = sum(vec![("a".into(), ended(true)), ("b".into(), ended(true))]);
        assert_eq!(good.expect("all are good").passed, 4);
        let bad = vec![
            ("a".into(), ended(true)),
            ("b".into(), ended(false)),
            ("c".into(), Err(anyhow::anyhow!("gone"))),
        ];
        let words = format!("{:#}", sum(bad).err().expect("two are bad"));
        assert_eq!(words, "these failed: b, c (gone)");
    }
}
