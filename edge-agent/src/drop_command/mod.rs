//! `vendlog-agent drop encode|decode`: entries to drops and back, on standard input and output. It
//! sends nothing and chooses nothing: every entry given goes into a drop.

mod decode;
mod encode;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use wire::drops::Dictionary;

pub use decode::decode;
pub use encode::{Encode, encode};

/// A drop as both commands write and read it, one a line.
#[derive(Debug, Serialize, Deserialize)]
struct Named {
    /// The file's name.
    #[serde(default)]
    name: String,
    /// What is in it.
    data: String,
}

/// The dictionary in this file.
///
/// # Errors
/// The file cannot be read, or is no dictionary.
pub fn dictionary(path: &Path) -> anyhow::Result<Arc<Dictionary>> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    let read = Dictionary::from_bytes(&bytes);
    Ok(Arc::new(read.with_context(|| {
        format!("{shown} is no dictionary; make one with: vendlog-server dictionary train")
    })?))
}
