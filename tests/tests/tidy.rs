//! House rules that a program can check: who may use whom, how files open and how long they are,
//! and what must never stand in one.

#[path = "tidy/members.rs"]
mod members;
#[path = "tidy/tree.rs"]
mod tree;

use tree::{File, files};

/// Longer than any file should be.
const LINES_MOST: usize = 700;
/// Longer than a file may be without a reason in [`LONG_FOR_A_REASON`].
const LINES_WITHOUT_REASON: usize = 450;
/// Files above [`LINES_WITHOUT_REASON`], each with its reason.
const LONG_FOR_A_REASON: [(&str, &str); 0] = [];

/// Fails with every offender at once.
fn assert_none(rule: &str, offenders: Vec<String>) {
    assert!(
        offenders.is_empty(),
        "{rule}:\n  {}",
        offenders.join("\n  ")
    );
}

/// Source files of the product, without what is generated and without these rules themselves.
fn sources() -> Vec<File> {
    let own = |file: &File| file.path.starts_with("tests/tests/tidy");
    let generated = |file: &File| file.path.ends_with("schema.d.ts");
    let is_source = |file: &File| {
        [".rs", ".ts", ".svelte", ".js"]
            .iter()
            .any(|e| file.path.ends_with(e))
    };
    files()
        .into_iter()
        .filter(|f| is_source(f) && !own(f) && !generated(f))
        .collect()
}

/// `path:line: text` of every line of these files that `is_bad` finds.
fn lines(files: &[File], is_bad: impl Fn(&File, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if is_bad(file, line) {
                found.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn every_rust_file_opens_by_saying_what_it_is() {
    let silent = sources().into_iter().filter(|f| f.path.ends_with(".rs"));
    let silent = silent
        .filter(|f| !f.text.starts_with("//! "))
        .map(|f| f.path)
        .collect();
    assert_none("a Rust file opens with `//!` and what it is", silent);
}

#[test]
fn files_stay_short() {
    let mut long = Vec::new();
    for file in sources() {
        let count = file.text.lines().count();
        let has_reason = LONG_FOR_A_REASON.iter().any(|(path, _)| *path == file.path);
        if count > LINES_MOST || (count > LINES_WITHOUT_REASON && !has_reason) {
            long.push(format!("{} has {count} lines", file.path));
        }
    }
    assert_none("files have about 100 lines, rarely 400; split", long);
}

#[test]
fn nothing_is_left_for_later_and_no_test_is_skipped() {
    let words = [
        "todo!(",
        "unimplemented!(",
        "#[ignore",
        "TODO",
        "FIXME",
        "@ts-ignore",
        "@ts-nocheck",
        "it.skip",
        "it.only",
        "test.skip",
        "test.only",
        "describe.skip",
        "describe.only",
    ];
    let found = lines(&sources(), |_, line| {
        words.iter().any(|word| line.contains(word))
    });
    assert_none("finish it, or say in the issue why not", found);
}

#[test]
fn log_text_is_never_html() {
    let words = ["{@html", "innerHTML", "outerHTML", "insertAdjacentHTML"];
    let found = lines(&sources(), |file, line| {
        file.path.starts_with("ui/") && words.iter().any(|word| line.contains(word))
    });
    assert_none("log text is hostile: text nodes only", found);
}

#[test]
fn only_the_api_folder_knows_the_desktop() {
    let found = lines(&sources(), |file, line| {
        file.path.starts_with("ui/src/")
            && !file.path.starts_with("ui/src/lib/api/")
            && line.contains("@tauri-apps")
    });
    assert_none("@tauri-apps is imported in ui/src/lib/api only", found);
}

#[test]
fn plugins_are_called_from_rust_only() {
    let manifests: Vec<File> = files()
        .into_iter()
        .filter(|f| f.path.ends_with("package.json"))
        .collect();
    assert!(!manifests.is_empty(), "the UI has a package.json");
    let found = lines(&manifests, |_, line| line.contains("@tauri-apps/plugin-"));
    assert_none(
        "the npm side of a plugin must match its crate to the minor; do without",
        found,
    );
}

#[test]
fn only_the_store_speaks_to_sqlite() {
    let found = lines(&sources(), |file, line| {
        let mut may = ["crates/store/", "tests/benches/"].iter();
        let words = ["rusqlite::", "use rusqlite"];
        !may.any(|folder| file.path.starts_with(folder)) && words.iter().any(|w| line.contains(w))
    });
    assert_none(
        "only the store (and the benchmark beside it) uses rusqlite",
        found,
    );
}

#[test]
fn no_path_of_one_persons_machine_is_in_the_tree() {
    let roots = ["work", "farm", "root", "Users"].map(|name| format!("/{name}/"));
    let stands_alone = |line: &str, root: &str| {
        let before = line.find(root).map(|at| line[..at].chars().next_back());
        before.is_some_and(|c| c.is_none_or(|c| !c.is_ascii_alphanumeric() && !"_./-".contains(c)))
    };
    // The customer's own paper names the paths of its author's machine.
    let ours = |file: &File| file.path != "docs/PRD.md" && !file.path.contains("tidy");
    let text: Vec<File> = files().into_iter().filter(ours).collect();
    let found = lines(&text, |_, line| {
        roots.iter().any(|root| stands_alone(line, root))
    });
    assert_none("a path of one machine does not exist on another", found);
}
