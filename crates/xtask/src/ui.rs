//! Builds the UI into `ui/dist`, which the server and the desktop app carry inside.

use std::path::Path;
use std::time::{Instant, SystemTime};

use anyhow::Result;

use crate::say::{duration, say};
use crate::shell::{must, npm, root};

/// Builds the UI when a source is newer than the last build.
///
/// # Errors
/// The build fails.
pub fn build() -> Result<()> {
    let ui = root().join("ui");
    let built = modified(&ui.join("dist").join("index.html"));
    let sources = [
        "src",
        "public",
        "index.html",
        "package-lock.json",
        "package.json",
    ];
    let configs = ["vite.config.ts", "svelte.config.js", "tsconfig.json"];
    let newest = sources
        .iter()
        .chain(&configs)
        .filter_map(|name| newest(&ui.join(name)))
        .max();
    if built.is_some() && built >= newest {
        say("ui", "is up to date");
        return Ok(());
    }
    let began = Instant::now();
    must(npm(&["run", "--silent", "build"]))?;
    say("ui", format!("built in {}", duration(began.elapsed())));
    Ok(())
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|data| data.modified()).ok()
}

/// The newest change at or below a path; folders count too, because a file may have been removed.
fn newest(path: &Path) -> Option<SystemTime> {
    let below = std::fs::read_dir(path).into_iter().flatten().flatten();
    below
        .filter_map(|entry| newest(&entry.path()))
        .chain(modified(path))
        .max()
}
