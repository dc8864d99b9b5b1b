//! What both sides are asked, and what makes two answers equal.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use wire::Micros;
use wire::time::HOUR_US;

use crate::data::Data;

/// Rows of a page.
pub const PAGE_ROWS: usize = 100;

/// One question.
pub struct Question {
    /// In the report's words.
    pub name: &'static str,
    /// Whether it is a panel of the dashboard.
    pub dashboard: bool,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
pub enum Ask {
    /// The newest hundred entries that these filters let through.
    Page(Filter),
    /// Entries by level in each of the last 24 hours, of each machine.
    Status,
    /// Entries by level in each of the last 24 hours, of all machines.
    Histogram {
        /// Start of the first hour.
        from: Micros,
        /// End of the last hour.
        to: Micros,
    },
}

/// Filters of a page.
#[derive(Default)]
pub struct Filter {
    /// This machine.
    pub machine: Option<String>,
    /// ERROR and CRITICAL.
    pub errors: bool,
    /// This word in message, component or context.
    pub word: Option<String>,
}

/// One row of a page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// RFC 3339 with milliseconds.
    pub timestamp: String,
    /// Machine, level, component, message.
    pub rest: [String; 4],
}

/// An answer in the form in which two are compared.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// A page, newest first.
    Rows(Vec<Row>),
    /// Counts by level, by machine and hour, or by hour; all-zero counts left out.
    Counts(BTreeMap<String, [u64; 5]>),
}

/// Every question.
pub fn questions(data: &Data) -> Vec<Question> {
    let page = |name, dashboard, filter| Question {
        name,
        dashboard,
        ask: Ask::Page(filter),
    };
    let machine = Some(data.machines[data.machines.len() / 2].0.to_string());
    let troubled = Some(data.machines[1].0.to_string());
    let to = Micros(data.end.0 / HOUR_US * HOUR_US + HOUR_US);
    let from = to.plus_us(-24 * HOUR_US);
    vec![
        page("page: latest 100 of all machines", false, Filter::default()),
        page(
            "page: latest 100 of one machine",
            true,
            Filter {
                machine,
                ..Filter::default()
            },
        ),
        page(
            "filter: one machine, ERROR and above",
            false,
            Filter {
                machine: troubled,
                errors: true,
                word: None,
            },
        ),
        page(
            "filter: all machines, ERROR and above",
            true,
            Filter {
                errors: true,
                ..Filter::default()
            },
        ),
        page(
            "search: a word (\"declined\")",
            false,
            Filter {
                word: Some("declined".into()),
                ..Filter::default()
            },
        ),
        page(
            "search: one transaction's hash",
            false,
            Filter {
                word: transaction(data),
                ..Filter::default()
            },
        ),
        Question {
            name: "status of all machines",
            dashboard: true,
            ask: Ask::Status,
        },
        Question {
            name: "histogram of 24 h",
            dashboard: true,
            ask: Ask::Histogram { from, to },
        },
    ]
}

/// The hash of a transaction about the middle of the data: found once or twice.
fn transaction(data: &Data) -> Option<String> {
    let (_, entries) = &data.machines[data.machines.len() / 3];
    let middle = &entries[entries.len() / 2..];
    middle
        .iter()
        .find_map(|entry| entry.message.strip_prefix("Transaction ID: #"))
        .map(str::to_owned)
}

/// The level names' places in the counts.
pub fn level_index(level: &str) -> usize {
    wire::Level::ALL
        .iter()
        .position(|known| known.as_str() == level)
        .unwrap_or(0)
}

/// Fails when two answers differ. Of a full page the rows of its oldest millisecond are left out:
/// which of several equal ones still fits is not asked.
pub fn ensure_equal(name: &str, product: &Answer, control: &Answer) -> Result<()> {
    if let (Answer::Rows(ours), Answer::Rows(theirs)) = (product, control) {
        ensure!(
            ours.len() == theirs.len(),
            "{name}: {} rows beside {} of the control",
            ours.len(),
            theirs.len()
        );
        let (ours, theirs) = (beyond_last(ours), beyond_last(theirs));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            ensure!(
                ours == theirs,
                "{name}: {ours:?} beside {theirs:?} of the control"
            );
        }
        ensure!(
            ours.len() == theirs.len(),
            "{name}: the pages end at different times"
        );
        return Ok(());
    }
    ensure!(
        product == control,
        "{name}: {product:?} beside {control:?} of the control"
    );
    Ok(())
}

fn beyond_last(rows: &[Row]) -> Vec<Row> {
    let last = rows
        .last()
        .map(|row| row.timestamp.clone())
        .unwrap_or_default();
    let full = rows.len() == PAGE_ROWS;
    let mut kept: Vec<Row> = rows
        .iter()
        .filter(|row| !full || row.timestamp != last)
        .cloned()
        .collect();
    kept.sort();
    kept
}
