//! Where the product's binaries are, built from the sources as they stand now.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// Which package a binary comes from.
const PACKAGES: [(&str, &str); 4] = [
    ("vendlog-server", "central"),
    ("vendlog-agent", "edge-agent"),
    ("vendlog-sim", "sim"),
    ("vendlog", "src-tauri"),
];
/// Set by `cargo xtask test`, which has built everything before.
const BUILT: &str = "VENDLOG_TESTS_BUILT";

/// The path of a debug binary. Unless xtask has built everything, cargo is asked once for each
/// binary, so that a test never runs against an old one.
///
/// # Panics
/// The name is not one of the product's, or it does not build.
pub fn binary(name: &str) -> PathBuf {
    static BUILT_HERE: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let path = target().join("debug").join(name);
    let mut built = BUILT_HERE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if std::env::var_os(BUILT).is_some() && path.exists() || built.iter().any(|b| b == name) {
        return path;
    }
    let package = PACKAGES
        .iter()
        .find(|(bin, _)| *bin == name)
        .map(|(_, package)| *package);
    let package = package.unwrap_or_else(|| panic!("{name} is no binary of the product"));
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", package, "--bin", name])
        .current_dir(root())
        .status()
        .expect("cargo can be started");
    assert!(status.success() && path.exists(), "{name} must build");
    built.push(name.to_owned());
    path
}

/// The root of the tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the tree")
}

/// The build directory: the one that this test was built into.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let debug = test.ancestors().find(|folder| folder.ends_with("debug"));
    debug
        .and_then(Path::parent)
        .map_or_else(|| root().join("target"), Path::to_owned)
}
