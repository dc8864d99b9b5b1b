//! One running `vendlog` for each data directory. The single-instance plugin derives its D-Bus name,
//! mutex or socket from the application's identifier, so the identifier carries the directory.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Hex digits of the directory's hash in the identifier: enough to tell one person's directories
/// apart, short enough for a socket path on macOS (104 bytes).
const HASH_DIGITS: usize = 12;

/// `base` for the default data directory; for another one `base` with a mark of that directory, so
/// that apps on different directories run beside each other, each with its own window state.
pub fn identifier(base: &str, data_dir: &Path, default_dir: Option<&Path>) -> String {
    let data_dir = resolved(data_dir);
    if default_dir.is_some_and(|default| resolved(default) == data_dir) {
        return base.to_owned();
    }
    let hash = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{base}.data-{}", &hex[..HASH_DIGITS])
}

/// The path with its existing part made canonical: the directory itself may not exist yet, and must
/// have the same name before and after it was made.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let Ok(canonical) = ancestor.canonicalize() {
            let rest = absolute.strip_prefix(ancestor).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() {
                canonical
            } else {
                canonical.join(rest)
            };
        }
    }
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "com.vendlog.desktop";

    #[test]
    fn the_default_directory_keeps_the_plain_identifier() {
        let dir = tempfile::tempdir().expect("a directory");
        let default = dir.path().join("vendlog");
        assert_eq!(identifier(BASE, &default, Some(&default)), BASE);
    }

    #[test]
    fn two_directories_are_two_instances() {
        let dir = tempfile::tempdir().expect("a directory");
        let one = identifier(BASE, &dir.path().join("one"), None);
        let two = identifier(BASE, &dir.path().join("two"), None);
        assert_ne!(one, two);
        assert!(one.starts_with("com.vendlog.desktop.data-"), "{one}");
    }

    #[test]
    fn a_directory_is_the_same_before_it_exists_after_and_by_another_spelling() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = dir.path().join("store");
        let before = identifier(BASE, &data, None);
        std::fs::create_dir(&data).expect("made");
        assert_eq!(identifier(BASE, &data, None), before);
        assert_eq!(identifier(BASE, &data.join(".").join(""), None), before);
        assert_eq!(
            identifier(BASE, &dir.path().join("store/../store"), None),
            before
        );
    }
}
