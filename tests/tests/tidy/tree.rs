//! The files of the tree as git knows them, tracked or about to be.

use std::process::Command;

use tests::binaries::root;

/// A text file.
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Every text file that is not ignored.
pub fn files() -> Vec<File> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .current_dir(root())
        .output()
        .expect("git lists the tree");
    assert!(listed.status.success(), "git lists the tree: {listed:?}");
    let names = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let read = |path: &str| {
        let text = std::fs::read_to_string(root().join(path)).ok()?;
        Some(File {
            path: path.to_owned(),
            text,
        })
    };
    let files: Vec<File> = names.split_terminator('\0').filter_map(read).collect();
    assert!(
        files.len() > 50,
        "the tree has more than {} files",
        files.len()
    );
    files
}
