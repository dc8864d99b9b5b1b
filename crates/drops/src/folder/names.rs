//! Names of files as other machines give them: which may be asked for, and how they are shown.

use crate::limits;

/// How upload programs name a file that is not whole yet: vsftpd's and WinSCP's own, browsers',
/// rsync's (which also puts a dot first).
const UNFINISHED: [&str; 6] = [
    ".tmp",
    ".part",
    ".filepart",
    ".partial",
    ".uploading",
    ".crdownload",
];

/// Whether a name can be put behind a folder without leaving it. A listing is what a server says:
/// it may say `../../etc/passwd`.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
}

/// Whether `move_to`, seen from `folder`, is that folder. Two names that only the server knows to be
/// the same folder are found out at the first file.
pub(crate) fn is_same(folder: &str, move_to: &str) -> bool {
    let target = match move_to.starts_with('/') {
        true => move_to.to_owned(),
        false => format!("{folder}/{move_to}"),
    };
    let is_elsewhere = move_to.starts_with('/') && !folder.starts_with('/');
    !is_elsewhere && steps(folder) == steps(&target)
}

/// The folders of a path, one by one, without detours.
fn steps(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps
}

/// Whether the name says that the file is still being written.
pub(crate) fn is_unfinished(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.starts_with(".~") || UNFINISHED.iter().any(|suffix| lower.ends_with(suffix))
}

/// A name that can be shown and kept: the last part of a path, as [`shown_text`].
pub(crate) fn shown_name(name: &str) -> String {
    shown_text(name.rsplit(['/', '\\']).next().unwrap_or(""))
}

/// A text without control characters (and without those that turn the direction of writing), cut
/// to [`limits::NAME_CHARS`].
pub(crate) fn shown_text(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !is_direction(*c))
        // Bytes that are no UTF-8 travel in these; see the names of FTP.
        .map(|c| match c {
            '\u{f780}'..='\u{f7ff}' => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .take(limits::NAME_CHARS)
        .collect::<String>()
        .trim()
        .to_owned()
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", "a\r\nDELE b", "a\0"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
        for good in ["a", "...", " ü % ;|", "-rf", "VM001-7-12.txt"] {
            assert!(is_plain(good), "{good:?}");
        }
        assert_eq!(shown_name("../../etc/pass\u{202e}wd\n"), "passwd");
    }

    #[test]
    fn a_folder_is_known_by_its_other_names() {
        for (folder, move_to) in [
            ("", "."),
            ("in", "./"),
            ("in", "../in"),
            ("/in", "/in/"),
            ("/in/", "//in"),
            ("/in", "done/.."),
        ] {
            assert!(is_same(folder, move_to), "{folder} {move_to}");
        }
        for (folder, move_to) in [
            ("", "done"),
            ("in", "/in"),
            ("/in", "in"),
            ("in", "../done"),
        ] {
            assert!(!is_same(folder, move_to), "{folder} {move_to}");
        }
    }

    #[test]
    fn unfinished_files_are_known_by_their_names() {
        assert!(is_unfinished("VM001.txt.filepart"));
        assert!(is_unfinished("X.TMP"));
        assert!(!is_unfinished("template.txt"));
    }
}
