//! The calls for sources and for what was taken from them.

use wire::Micros;

use crate::catalog::cell::seen;
use crate::catalog::cell::sources::{self, SourceStatus, StoredSource};
use crate::cell::Cell;
use crate::error::StoreError;

impl Cell {
    /// Every source in the order they were added.
    ///
    /// # Errors
    /// The store failed.
    pub fn sources(&self) -> Result<Vec<StoredSource>, StoreError> {
        self.store.catalog(|catalog| Ok(sources::list(catalog)?))
    }

    /// Adds a source with its configuration (JSON) and gives it its id.
    ///
    /// # Errors
    /// The store failed.
    pub fn add_source(&self, config: &str, at: Micros) -> Result<String, StoreError> {
        let config = config.to_owned();
        self.changed(move |catalog| Ok(sources::add(catalog, &config, at)?))
    }

    /// Changes the configuration of a source; `false` when there is none of this id.
    ///
    /// # Errors
    /// The store failed.
    pub fn set_source(&self, id: &str, config: &str) -> Result<bool, StoreError> {
        let (id, config) = (id.to_owned(), config.to_owned());
        self.changed(move |catalog| Ok(sources::set_config(catalog, &id, &config)?))
    }

    /// Removes a source and what it has seen; `false` when there is none of this id.
    ///
    /// # Errors
    /// The store failed.
    pub fn remove_source(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.changed(move |catalog| Ok(sources::remove(catalog, &id)?))
    }

    /// Keeps how fetching from a source goes; `false` when there is none of this id.
    ///
    /// # Errors
    /// The store failed.
    pub fn set_source_status(&self, id: &str, status: &SourceStatus) -> Result<bool, StoreError> {
        let (id, status) = (id.to_owned(), status.clone());
        self.changed(move |catalog| Ok(sources::set_status(catalog, &id, &status)?))
    }

    /// Whether a file of a source was taken, by whatever names it there.
    ///
    /// # Errors
    /// The store failed.
    pub fn is_seen(&self, source: &str, key: &str) -> Result<bool, StoreError> {
        self.store
            .catalog(|catalog| Ok(seen::is_seen(catalog, source, key)?))
    }

    /// Remembers that these files of a source were taken, in one go.
    ///
    /// # Errors
    /// The store failed; none of them is remembered then.
    pub fn mark_all_seen(
        &self,
        source: &str,
        keys: &[String],
        at: Micros,
    ) -> Result<(), StoreError> {
        let (source, keys) = (source.to_owned(), keys.to_vec());
        self.store.change(false, move |catalog| {
            for key in &keys {
                seen::mark(catalog, &source, key, at)?;
            }
            Ok(())
        })
    }

    /// Remembers that a file of a source was taken. The newest 100,000 of a source are remembered; an
    /// older one that is taken again is a repeat.
    ///
    /// # Errors
    /// The store failed.
    pub fn mark_seen(&self, source: &str, key: &str, at: Micros) -> Result<(), StoreError> {
        let (source, key) = (source.to_owned(), key.to_owned());
        self.store.change(false, move |catalog| {
            Ok(seen::mark(catalog, &source, &key, at)?)
        })
    }
}
