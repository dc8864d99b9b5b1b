//! What was measured, as a section of the document.

use std::fmt::Write;
use std::sync::Arc;

use wire::Level;
use wire::drops::Dictionary;

use crate::application;
use crate::fleets::{Fleet, PER_HOUR};
use crate::packed::{Month, Packed};

/// What carrier and reader add to a drop, as the server's data plan counts it.
const OVERHEAD_BYTES: usize = 200;
/// Hours of a month.
const MONTH_HOURS: i64 = 720;

/// Everything the section says.
pub struct Report {
    /// The day of the run.
    pub date: String,
    pub rows: Vec<(Fleet, Level, Packed)>,
    /// Fleet, machines, and what all of them sent.
    pub months: Vec<(Fleet, usize, Month)>,
    /// The hours that each machine was packed for.
    pub hours: i64,
    pub dictionaries: Vec<(Fleet, Arc<Dictionary>)>,
}

impl Report {
    /// The section.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (sentences, new) = application::size();
        writeln!(
            out,
            "Entries in one drop of 900 bytes of printable ASCII, header included, on machines \
             whose logs trained no\ndictionary. Every drop was read again: 100 % of the entries \
             came back whole, with seq, level, component,\nmessage, context and their time to \
             the second. Measured on {}.\n",
            self.date
        )?;
        self.write_rows(out)?;
        self.write_sample(out)?;
        self.write_months(out)?;
        writeln!(out, "### How the drops were measured\n")?;
        writeln!(
            out,
            "- Repeat: `cargo xtask bench drops`. Nothing in it is a time; every run gives the \
             same figures.\n\
             - Text is the paper's `MACHINE|MMDD-HHMM|L|COMPONENT|MESSAGE|CONTEXT` with nothing \
             shortened: it keeps minutes and\n  no seq. gzip and zstd pack those lines; zstd's \
             dictionary (110 KB) is trained on the same machines as ours.\n\
             - The vending application is the simulator's, other seeds than those that trained \
             the shipped dictionary.\n\
             - The other application has {sentences} sentences, {new} of them new since its \
             dictionary was trained, on 12 older\n  machines over 8 hours. They are said with \
             frequencies that differ from machine to machine and in no order,\n  but a third \
             follow at once from the same component; names and codes are any, measurements lie \
             about what\n  is normal on each machine, ids and hashes are chance."
        )?;
        for (fleet, dictionary) in &self.dictionaries {
            writeln!(
                out,
                "- Dictionary {} ({}): {} bytes, {} templates, {} KB of memory once read.",
                dictionary.id(),
                name(*fleet),
                dictionary.to_bytes().len(),
                dictionary.templates().count(),
                dictionary.memory_bytes() / 1024,
            )?;
        }
        Ok(())
    }

    /// How many of the second application's entries are WARN or above.
    fn grave_share(&self) -> f64 {
        let months = self
            .months
            .iter()
            .filter(|(fleet, _, _)| *fleet == Fleet::Foreign);
        let per_hour = months.map(|(_, machines, month)| {
            month.entries as f64 / *machines as f64 / self.hours as f64
        });
        per_hour.sum::<f64>() / PER_HOUR
    }

    fn write_rows(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "| entries a drop | characters a line | text | gzip + base64 | zstd with dictionary + \
             base85 | **dense** | dense / text (target 12) |\n|---|---:|---:|---:|---:|---:|---:|"
        )?;
        for (fleet, least, packed) in &self.rows {
            let each = |entries: usize| entries as f64 / packed.drops as f64;
            writeln!(
                out,
                "| {}, {} | {:.0} | {:.1} | {:.1} | {:.1} | **{:.1}** | {:.1} |",
                name(*fleet),
                levels(*least),
                packed.line_bytes,
                each(packed.text),
                each(packed.gzip),
                each(packed.zstd),
                each(packed.entries),
                packed.entries as f64 / packed.text as f64,
            )?;
        }
        writeln!(out)
    }

    fn write_sample(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "| the paper's sample compressor, given the entries of one dense drop | entries it \
             counts | with their whole message | with time, level, context, machine |\n\
             |---|---:|---:|---:|"
        )?;
        for (fleet, least, packed) in &self.rows {
            let share = |entries: usize| 100.0 * entries as f64 / packed.entries as f64;
            writeln!(
                out,
                "| {}, {} | {:.0} % | {:.0} % | 0 % |",
                name(*fleet),
                levels(*least),
                share(packed.sample.0),
                share(packed.sample.1),
            )?;
        }
        writeln!(out)
    }

    fn write_months(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "| a month of one machine, every WARN and above, a drop an hour or more | entries | \
             drops | bytes with overhead (target 1,000,000) | as text |\n|---|---:|---:|---:|---:|"
        )?;
        for (fleet, machines, month) in &self.months {
            let scale = MONTH_HOURS as f64 / self.hours as f64 / *machines as f64;
            let whole = |bytes: usize, drops: usize| {
                grouped(((bytes + drops * OVERHEAD_BYTES) as f64 * scale) as u64)
            };
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                name(*fleet),
                grouped((month.entries as f64 * scale) as u64),
                grouped((month.drops as f64 * scale) as u64),
                whole(month.bytes, month.drops),
                whole(month.text_bytes, month.text_drops),
            )?;
        }
        writeln!(
            out,
            "\nOf each drop {OVERHEAD_BYTES} bytes are overhead, as the server's data plan counts \
             them; {} hours of 6 machines stand for the month.\nThe vending application writes \
             some 2,900 entries an hour, the other one 1,000, of which {:.0} % are WARN and above.\n",
            self.hours,
            100.0 * self.grave_share(),
        )
    }
}

fn name(fleet: Fleet) -> &'static str {
    match fleet {
        Fleet::Simulated => "vending application",
        Fleet::Foreign => "200 templates, 10 % unknown",
    }
}

fn levels(least: Level) -> &'static str {
    match least {
        Level::Debug => "all levels",
        _ => "WARN and above",
    }
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
