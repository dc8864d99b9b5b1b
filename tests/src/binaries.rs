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

/// The profile of what goes into a package.
const PACKAGED: &str = "packaged";
/// Names a binary to use instead of one built here: `VENDLOG_AGENT` for `vendlog-agent`.
const NAMED: &str = "VENDLOG_";

/// The path of a binary, in the profile that the caller itself was built in; a benchmark's agent in
/// the one that it is packaged with. Unless xtask has built everything, cargo is asked once for each
/// binary, so that a test never runs against an old one.
///
/// # Panics
/// The name is not one of the product's, or it does not build.
pub fn binary(name: &str) -> PathBuf {
    static BUILT_HERE: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let variable = name.trim_start_matches("vendlog-").to_uppercase();
    if let Some(path) = std::env::var_os(NAMED.to_owned() + &variable) {
        return path.into();
    }
    let (folder, profile) = match profile() {
        (folder, "release") if name == "vendlog-agent" => {
            (folder.with_file_name(PACKAGED), PACKAGED)
        }
        other => other,
    };
    let path = folder.join(name);
    let mut built = BUILT_HERE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if is_built() && path.exists() || built.iter().any(|b| b == name) {
        return path;
    }
    let package = PACKAGES
        .iter()
        .find(|(bin, _)| *bin == name)
        .map(|(_, package)| *package);
    let package = package.unwrap_or_else(|| panic!("{name} is no binary of the product"));
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", profile])
        .args(["--package", package, "--bin", name])
        .current_dir(root())
        .status()
        .expect("cargo can be started");
    assert!(status.success() && path.exists(), "{name} must build");
    built.push(name.to_owned());
    path
}

/// Whether xtask has built everything.
pub fn is_built() -> bool {
    std::env::var_os(BUILT).is_some()
}

/// The root of the tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the tree")
}

/// The build directory: the one that this test was built into.
pub fn target() -> PathBuf {
    let folder = profile().0;
    folder
        .parent()
        .map_or_else(|| root().join("target"), Path::to_owned)
}

/// The folder that this test was built into, and the profile it belongs to.
fn profile() -> (PathBuf, &'static str) {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = |name: &str| test.ancestors().find(|folder| folder.ends_with(name));
    match (folder("debug"), folder("release")) {
        (Some(debug), _) => (debug.to_owned(), "dev"),
        (None, Some(release)) => (release.to_owned(), "release"),
        (None, None) => (root().join("target").join("debug"), "dev"),
    }
}
