//! The files of the package, as they lie on the machine.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::{control, source};
use crate::shell::{command, root};

/// Where Debian's Python finds modules.
const PYTHON: &str = "usr/lib/python3/dist-packages/vendlog";
const DOCUMENTS: &str = "usr/share/doc/vendlog-agent";

/// Writes the tree; every file has its mode set, whatever the umask is.
///
/// # Errors
/// A source is missing, or the tree cannot be written.
pub fn lay_out(tree: &Path, binary: &Path, date: u64) -> Result<()> {
    let agent = fs::read(binary).with_context(|| binary.display().to_string())?;
    put(tree, "usr/bin/vendlog-agent", &agent, 0o755)?;
    let unit = source("packaging/vendlog-agent.service")?;
    put(
        tree,
        "lib/systemd/system/vendlog-agent.service",
        unit.as_bytes(),
        0o644,
    )?;
    // An example and no more: a machine's own configuration comes from pairing.
    let example = source("edge-agent/agent.example.toml")?;
    put(
        tree,
        &format!("{DOCUMENTS}/examples/agent.toml"),
        example.as_bytes(),
        0o644,
    )?;
    for name in ["OPERATIONS.md", "CONFIGURATION.md"] {
        let text = source(&format!("docs/{name}"))?;
        put(tree, &format!("{DOCUMENTS}/{name}"), text.as_bytes(), 0o644)?;
    }
    put(
        tree,
        &format!("{DOCUMENTS}/copyright"),
        copyright()?.as_bytes(),
        0o644,
    )?;
    let changes = source("CHANGELOG.md")?;
    put(
        tree,
        &format!("{DOCUMENTS}/changelog.gz"),
        &gzip(changes.as_bytes())?,
        0o644,
    )?;
    let entry = control::debian_changelog(date)?;
    put(
        tree,
        &format!("{DOCUMENTS}/changelog.Debian.gz"),
        &gzip(entry.as_bytes())?,
        0o644,
    )?;
    let module = root().join("python/vendlog");
    if module.is_dir() {
        put_python(tree, &module, PYTHON)?;
    }
    Ok(())
}

/// A file below the tree, with its folders.
///
/// # Errors
/// It cannot be written.
pub fn put(tree: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<()> {
    let path = tree.join(name);
    let cannot = || format!("cannot write {}", path.display());
    for folder in path
        .ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(tree))
    {
        fs::create_dir_all(folder).with_context(cannot)?;
        set_mode(folder, 0o755)?;
    }
    fs::write(&path, bytes).with_context(cannot)?;
    set_mode(&path, mode)
}

/// The module's sources, without what Python made of them.
fn put_python(tree: &Path, from: &Path, to: &str) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_source = name.ends_with(".py") || name == "py.typed";
        if path.is_dir() && name != "__pycache__" {
            put_python(tree, &path, &format!("{to}/{name}"))?;
        } else if path.is_file() && is_source {
            put(tree, &format!("{to}/{name}"), &fs::read(&path)?, 0o644)?;
        }
    }
    Ok(())
}

/// In the form that Debian's tools read.
fn copyright() -> Result<String> {
    let licence = source("LICENSE")?;
    let holder = licence
        .lines()
        .find_map(|line| line.strip_prefix("Copyright (c) "))
        .context("LICENSE names nobody")?;
    let terms = licence
        .split_once("\n\n")
        .and_then(|(_, rest)| rest.split_once("\n\n"))
        .context("LICENSE has no terms")?
        .1;
    let mut text = format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: vendlog\n\nFiles: *\nCopyright: {holder}\nLicense: Expat\n"
    );
    for line in terms.trim_end().lines() {
        text.push_str(if line.is_empty() { " ." } else { " " });
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

/// Without a name and a time inside: the same text makes the same bytes.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = command("gzip", &["-9n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start gzip")?;
    let mut stdin = gzip.stdin.take().context("a piped input is there")?;
    let bytes = bytes.to_owned();
    // Apart, so that neither waits for the other over a full pipe.
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &bytes));
    let output = gzip.wait_with_output().context("gzip is gone")?;
    match writer.join() {
        Ok(Ok(())) if output.status.success() => Ok(output.stdout),
        _ => bail!("gzip failed ({})", output.status),
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", path.display()))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> Result<()> {
    bail!("Debian packages are made on Debian")
}
