//! Wakes the pipeline when a followed file or its directory changes, so that it need not poll.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// How often the files are looked at though nothing was heard of them: network and FUSE file
/// systems report nothing, and a directory made after the start is not watched yet.
pub const SAFETY_POLL: Duration = Duration::from_secs(10);

/// Watches the directories of some files. Its own reading does not wake anyone.
#[derive(Debug)]
pub struct Watcher {
    inner: Option<RecommendedWatcher>,
    paths: Vec<PathBuf>,
    watched: BTreeSet<PathBuf>,
}

impl Watcher {
    /// Calls `wake` when one of `paths`, or a file whose name begins like it, changes.
    pub fn new(paths: Vec<PathBuf>, wake: impl Fn() + Send + 'static) -> Watcher {
        let names: Vec<OsString> = paths
            .iter()
            .flat_map(|path| [Some(path.clone()), fs::canonicalize(path).ok()])
            .filter_map(|path| Some(path?.file_name()?.to_owned()))
            .collect();
        let inner = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let matters = event.is_ok_and(|event| {
                !matches!(event.kind, EventKind::Access(_))
                    && (event.paths.is_empty() || event.paths.iter().any(|p| is_named(p, &names)))
            });
            if matters {
                wake();
            }
        });
        if let Err(error) = &inner {
            tracing::warn!(%error, "files cannot be watched; looking at them every 10 s instead");
        }
        let mut watcher = Watcher {
            inner: inner.ok(),
            paths,
            watched: BTreeSet::new(),
        };
        watcher.refresh();
        watcher
    }

    /// Watches directories that have appeared, and where symbolic links point now.
    pub fn refresh(&mut self) {
        let Some(inner) = &mut self.inner else { return };
        let wanted: BTreeSet<PathBuf> = self
            .paths
            .iter()
            .flat_map(|path| [Some(path.clone()), fs::canonicalize(path).ok()])
            .filter_map(|path| Some(parent(&path?)))
            .filter(|dir| dir.is_dir())
            .collect();
        for gone in self.watched.difference(&wanted) {
            // It fails when the directory itself is gone, which ends the watch as well.
            let _ = inner.unwatch(gone);
        }
        for dir in wanted.difference(&self.watched) {
            if let Err(error) = inner.watch(dir, RecursiveMode::NonRecursive) {
                tracing::warn!(dir = %dir.display(), %error, "not watched; looked at every 10 s");
            }
        }
        self.watched = wanted;
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn is_named(path: &Path, names: &[OsString]) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let name = name.as_encoded_bytes();
    names
        .iter()
        .any(|wanted| name.starts_with(wanted.as_encoded_bytes()))
}
