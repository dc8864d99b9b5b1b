//! The dictionary that comes with the product: trained on what simulated machines say, which the
//! agent would have made of it, by the server's own command.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::say::say;
use crate::setup;
use crate::shell::{binary, cargo, command, must, read, root};

/// The committed file; the crate `wire` contains it.
const SHIPPED: &str = "crates/wire/dictionaries/shipped.vdict";
/// What the simulated machines are: a dozen, a working day of each, always the same.
const ENTRIES: [&str; 7] = ["entries", "--machines", "12", "--hours", "8", "--seed", "1"];

/// Builds simulator and server and writes the file anew.
///
/// # Errors
/// A build fails, or the file cannot be written.
pub fn write_anew() -> Result<()> {
    setup::all(setup::For::Headless)?;
    must(cargo(&[
        "build",
        "--package",
        "sim",
        "--package",
        "central",
    ]))?;
    let bytes = generate()?;
    fs::write(root().join(SHIPPED), &bytes).context(SHIPPED)?;
    say(
        "dictionaries",
        format!("wrote {SHIPPED}, {} bytes", bytes.len()),
    );
    Ok(())
}

/// Fails when the committed file is not what would be made; leaves it in place.
///
/// # Errors
/// It is stale, or cannot be made.
pub fn check() -> Result<()> {
    let committed = fs::read(root().join(SHIPPED)).context(SHIPPED)?;
    if generate()? != committed {
        bail!("{SHIPPED} is stale; run: cargo xtask dictionaries, and commit it");
    }
    Ok(())
}

fn generate() -> Result<Vec<u8>> {
    let folder = root().join("target/dictionaries");
    fs::create_dir_all(&folder).context("target/dictionaries")?;
    let (from, out) = (folder.join("entries.ndjson"), folder.join("shipped.vdict"));
    let entries = read(command(binary("vendlog-sim"), &ENTRIES))?;
    fs::write(&from, entries).with_context(|| from.display().to_string())?;
    let words = ["dictionary", "train", "--from"];
    let mut train = command(binary("vendlog-server"), &words);
    train.arg(&from).arg("--out").arg(&out);
    read(train)?;
    let bytes = fs::read(&out).with_context(|| out.display().to_string())?;
    // A hundred megabytes that nobody needs any more.
    fs::remove_file(&from).with_context(|| from.display().to_string())?;
    Ok(bytes)
}
