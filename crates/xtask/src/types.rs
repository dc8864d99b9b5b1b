//! The generated files of the API: `ui/openapi.json` from the server, and from it the UI's types.

use std::fs;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::say::say;
use crate::shell::{binary, cargo, command, must, npm, read, root};
use crate::{setup, ui};

/// The committed files.
const GENERATED: [&str; 2] = ["ui/openapi.json", "ui/src/lib/api/schema.d.ts"];

/// Builds the server and writes both files.
///
/// # Errors
/// A build fails, or a file cannot be written.
pub fn write_anew() -> Result<()> {
    setup::all(setup::For::Headless)?;
    ui::build()?;
    must(cargo(&["build", "--package", "central"]))?;
    generate()?;
    say("types", format!("wrote {}", GENERATED.join(" and ")));
    Ok(())
}

/// Writes both files anew with the server as it is built now.
fn generate() -> Result<()> {
    let api = read(command(binary("vendlog-server"), &["openapi"]))?;
    fs::write(root().join(GENERATED[0]), api).context(GENERATED[0])?;
    must(npm(&["run", "--silent", "types"]))
}

/// Fails when a committed file is not what would be generated; leaves the committed one in place.
///
/// # Errors
/// A file is stale, or the generator fails.
pub fn check() -> Result<()> {
    let read_all = || -> Result<Vec<Vec<u8>>> {
        GENERATED
            .iter()
            .map(|name| fs::read(root().join(name)).context(*name))
            .collect()
    };
    let before = read_all().context("missing; run: cargo xtask types")?;
    let written: Vec<SystemTime> = GENERATED
        .iter()
        .map(|name| Ok(root().join(name).metadata()?.modified()?))
        .collect::<Result<_>>()?;
    let generated = generate().and_then(|()| read_all());
    for ((name, bytes), written) in GENERATED.iter().zip(&before).zip(written) {
        fs::write(root().join(name), bytes).context(*name)?;
        // As old as it was, so that nothing built from it counts as stale.
        fs::File::options()
            .write(true)
            .open(root().join(name))?
            .set_modified(written)?;
    }
    let after = generated?;
    for ((name, before), after) in GENERATED.iter().zip(&before).zip(&after) {
        if before != after {
            bail!("{name} is stale; run: cargo xtask types, and commit it");
        }
    }
    Ok(())
}
