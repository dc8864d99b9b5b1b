//! docs/CONFIGURATION.md has every name of the PRD and every key that is read, with its default.

use std::collections::BTreeSet;

use super::{clock, eport, sections, wifi};

const PAGE: &str = include_str!("../../../docs/CONFIGURATION.md");
const PRD: &str = include_str!("../../../docs/PRD.md");
const RAW: &str = include_str!("raw.rs");

/// The cells of every row of the page's tables.
fn rows() -> Vec<Vec<&'static str>> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// What stands in the backticks of a row's first cell.
fn name(row: &[&'static str]) -> &'static str {
    row[0].trim_matches('`')
}

#[test]
fn every_name_of_the_prd_has_a_row_that_names_a_key_or_the_reason_why_not() {
    let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
    let words = PRD.split(|c: char| !is_part(c));
    let wanted: BTreeSet<&str> = words.filter(|word| word.starts_with("LOG_")).collect();
    assert!(wanted.len() >= 22, "{wanted:?}");
    let keys = keys();
    let rows = rows();
    for wanted in wanted {
        let row = rows.iter().find(|row| name(row) == wanted);
        let row = row.unwrap_or_else(|| panic!("{wanted} is not in docs/CONFIGURATION.md"));
        match row[1] {
            "none" => assert!(row[2].len() > 20, "{wanted}: why is there none?"),
            key => assert!(
                keys.contains(key.trim_matches('`')),
                "{wanted}: {key} is no key"
            ),
        }
    }
}

/// Every key as `section.key`, from the structs that serde reads.
fn keys() -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in RAW.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("pub(super) struct ") {
            let name = rest.trim_end_matches(" {").to_lowercase();
            section = if name == "config" {
                String::new()
            } else {
                name + "."
            };
        }
        let field = line.strip_prefix("pub ").unwrap_or(line);
        let Some((field, kind)) = field.split_once(": ") else {
            continue;
        };
        let is_field = field.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let is_section =
            section.is_empty() && !kind.contains("String") && !kind.contains("PathBuf");
        if is_field && !is_section {
            keys.insert(format!("{section}{}", field.trim_start_matches('_')));
        }
    }
    keys
}

#[test]
fn every_key_that_is_read_has_its_row_and_every_row_its_key() {
    let keys = keys();
    assert!(
        keys.len() > 40 && keys.contains("wifi.pin") && keys.contains("eport.time"),
        "{keys:?}"
    );
    let told: BTreeSet<String> = rows()
        .iter()
        .map(|row| name(row).to_owned())
        .filter(|name| !name.starts_with("LOG_"))
        .collect();
    let missing: Vec<_> = keys.difference(&told).collect();
    let surplus: Vec<_> = told.difference(&keys).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "missing {missing:?}, surplus {surplus:?}"
    );
}

#[test]
fn the_defaults_on_the_page_are_those_in_force() {
    let seconds = format!("1 to {}", sections::INTERVAL_MAX_S);
    let trial = format!("{} to {}", sections::TRIAL_MIN_S, sections::INTERVAL_MAX_S);
    let list = |names: &[&str]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    for (key, default, bounds) in [
        (
            "spool.max_bytes",
            sections::SPOOL_MAX_BYTES.to_string(),
            format!("from {}", sections::SPOOL_MIN_BYTES),
        ),
        (
            "spool.max_disk_share",
            sections::SPOOL_MAX_DISK_SHARE.to_string(),
            "1 to 100".to_owned(),
        ),
        (
            "local.path",
            format!("`{}`", sections::LOCAL_PATH),
            "no input".to_owned(),
        ),
        (
            "local.max_bytes",
            sections::LOCAL_MAX_BYTES.to_string(),
            format!("from {}", sections::LOCAL_MIN_BYTES),
        ),
        (
            "local.files",
            sections::LOCAL_FILES.to_string(),
            format!("1 to {}", sections::LOCAL_MAX_FILES),
        ),
        (
            "wifi.send_interval_s",
            wifi::SEND_INTERVAL_S.to_string(),
            seconds.clone(),
        ),
        (
            "eport.send_interval_s",
            eport::SEND_INTERVAL_S.to_string(),
            seconds.clone(),
        ),
        (
            "eport.max_drop_bytes",
            wire::drops::DROP_MAX_BYTES.to_string(),
            format!(
                "{} to {}",
                eport::DROP_MIN_BYTES,
                wire::drops::DROP_MAX_BYTES
            ),
        ),
        (
            "eport.monthly_budget_bytes",
            eport::MONTHLY_BUDGET_BYTES.to_string(),
            format!("from {}", eport::MONTHLY_BUDGET_MIN_BYTES),
        ),
        (
            "heartbeat.interval_s",
            sections::HEARTBEAT_INTERVAL_S.to_string(),
            seconds,
        ),
        (
            "clock.wait_s",
            clock::WAIT_S.to_string(),
            format!("0 to {}", clock::WAIT_MAX_S),
        ),
        (
            "privacy.hash_fields",
            list(&sections::HASH_FIELDS),
            String::new(),
        ),
        (
            "privacy.drop_fields",
            list(&sections::DROP_FIELDS),
            String::new(),
        ),
        ("care.trial_s", sections::TRIAL_S.to_string(), trial),
    ] {
        let rows = rows();
        let row = rows.iter().find(|row| name(row) == key);
        let row = row.unwrap_or_else(|| panic!("{key} has no row"));
        assert_eq!((row[2], row[3]), (&*default, &*bounds), "{key}");
    }
}
