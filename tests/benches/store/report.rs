//! What was measured, as a document: ratios first, because times on a shared machine mean little.

use std::fmt::Write;
use std::time::Duration;

use crate::data::MACHINES;
use crate::measure::{Asked, Comparison, Ingest};

/// Everything the document says.
pub struct Report {
    /// The day of the run.
    pub date: String,
    /// Rows on both sides.
    pub entries: usize,
    /// Hours that they span.
    pub hours: f64,
    /// What was measured.
    pub comparison: Comparison,
    /// The control's durability in SQLite's words.
    pub control_durability: String,
}

impl Report {
    /// The document.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        writeln!(
            out,
            "{} entries of {MACHINES} machines over {:.0} hours, posted through \
             `POST /api/logs` to the real\nserver (release build), beside the same rows in the \
             schema of docs/PRD.md in plain SQLite. Measured on {}\non {cores} cores. Times on \
             another machine differ; the ratios are what is compared.\n",
            grouped(self.entries as f64),
            self.hours,
            self.date,
        )?;
        self.write_questions(out)?;
        self.write_ingest(out)?;
        writeln!(out, "### How\n")?;
        writeln!(
            out,
            "- Repeat: `cargo xtask bench store`, or smaller: `cargo bench -p tests --bench store \
             -- --entries 50000`.\n\
             - Product and control are asked in turn (A B A B A), up to 25 times a turn; the \
             figures are medians. Before\n  that both are asked once and must answer the same \
             rows or counts.\n\
             - The product is asked over HTTPS, its time ends with the last byte; its store is \
             encrypted and checks every\n  entry for duplicates. The control is asked in \
             process and does neither.\n\
             - Durability: product, WAL and synchronous=FULL, answered after the commit of the \
             day file and the catalog;\n  control, {}, one transaction a batch of {} rows.\n\
             - Beside the store: one thread makes template and parameters of {} messages a second.\n\
             - The server was stopped and started between taking in and being asked; bytes are \
             those of all its files then.",
            self.control_durability,
            self.comparison.control_in.batch_rows,
            grouped(self.comparison.splits_per_second),
        )
    }

    fn write_questions(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "| question | rows | product, ms | control, ms | product / control |"
        )?;
        writeln!(out, "|---|---:|---:|---:|---:|")?;
        for asked in &self.comparison.answers {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                asked.name,
                asked.size,
                ms(asked.product),
                ms(asked.control),
                ratio(asked.product.as_secs_f64(), asked.control.as_secs_f64()),
            )?;
        }
        let panels = || {
            self.comparison
                .answers
                .iter()
                .filter(|asked| asked.dashboard)
        };
        let sum = |side: fn(&Asked) -> Duration| panels().map(side).sum::<Duration>();
        let (product, control) = (sum(|asked| asked.product), sum(|asked| asked.control));
        writeln!(
            out,
            "| **dashboard** ({} panels of the above) | | {} | {} | {} (target 0.05) |\n",
            panels().count(),
            ms(product),
            ms(control),
            ratio(product.as_secs_f64(), control.as_secs_f64()),
        )
    }

    fn write_ingest(&self, out: &mut String) -> std::fmt::Result {
        let Comparison {
            product_in: product,
            control_in: control,
            ..
        } = &self.comparison;
        let rows = self.entries as f64;
        writeln!(out, "| storing | product | control | product / control |")?;
        writeln!(out, "|---|---:|---:|---:|")?;
        let mut line = |name: &str, note: &str, of: &dyn Fn(&Ingest) -> f64| {
            let (ours, theirs) = (of(product), of(control));
            let show = |n: f64| {
                if n < 1_000.0 {
                    format!("{n:.1}")
                } else {
                    grouped(n)
                }
            };
            let ratio = ratio(ours, theirs);
            writeln!(
                out,
                "| {name} | {} | {} | {ratio}{note} |",
                show(ours),
                show(theirs)
            )
        };
        line("bytes a row on disk", " (target 0.15)", &|side| {
            side.bytes as f64 / rows
        })?;
        line("durable rows a second", "", &|side| {
            rows / side.took.as_secs_f64()
        })?;
        line("durable rows a processor second", " (target 3)", &|side| {
            rows / side.cpu.as_secs_f64()
        })?;
        line("batch until durable, median, ms", "", &|side| {
            side.batch.0.as_secs_f64() * 1e3
        })?;
        line("batch until durable, 99th percentile, ms", "", &|side| {
            side.batch.1.as_secs_f64() * 1e3
        })?;
        writeln!(out)
    }
}

fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 100.0 {
        format!("{ms:.2}")
    } else {
        grouped(ms)
    }
}

fn ratio(product: f64, control: f64) -> String {
    let ratio = product / control.max(f64::MIN_POSITIVE);
    if ratio < 0.1 {
        format!("{ratio:.4}")
    } else {
        format!("{ratio:.2}")
    }
}

/// A whole number with commas.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
