//! Wakes the pipeline when a followed file or its directory changes, so that it need not poll.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The names of the files, also of those that symbolic links point to now.
    names: Arc<Mutex<Vec<OsString>>>,
    watched: BTreeSet<PathBuf>,
}

impl Watcher {
    /// Calls `wake` when one of `paths`, or a file whose name begins like it, changes.
    pub fn new(paths: Vec<PathBuf>, wake: impl Fn() + Send + 'static) -> Watcher {
        let names = Arc::new(Mutex::new(Vec::new()));
        let watched_names = names.clone();
        let inner = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let matters = event.is_ok_and(|event| {
                !matches!(event.kind, EventKind::Access(_))
                    && (event.paths.is_empty() || is_any_named(&event.paths, &watched_names))
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
            names,
            watched: BTreeSet::new(),
        };
        watcher.refresh();
        watcher
    }

    /// Watches directories that have appeared, and where symbolic links point now.
    pub fn refresh(&mut self) {
        let Some(inner) = &mut self.inner else { return };
        let linked = |path: &PathBuf| [Some(path.clone()), fs::canonicalize(path).ok()];
        let files: Vec<PathBuf> = self.paths.iter().flat_map(linked).flatten().collect();
        let wanted: BTreeSet<PathBuf> = files
            .iter()
            .map(|path| parent(path))
            .filter(|dir| dir.is_dir())
            .collect();
        let names = files
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_owned()))
            .collect();
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
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

/// Whether one of the files is followed, or rotated from one that is.
fn is_any_named(paths: &[PathBuf], names: &Mutex<Vec<OsString>>) -> bool {
    let names = names.lock().unwrap_or_else(PoisonError::into_inner);
    paths
        .iter()
        .filter_map(|path| path.file_name())
        .any(|name| {
            let name = name.as_encoded_bytes();
            names
                .iter()
                .any(|wanted| name.starts_with(wanted.as_encoded_bytes()))
        })
}
