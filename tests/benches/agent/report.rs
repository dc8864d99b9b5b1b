//! What was measured, as a section of the document.

use std::fmt::Write;
use std::time::Duration;

use crate::peer::Kind;
use crate::stages::{Full, Paced, Turn};

/// Everything the section says.
pub struct Report {
    /// The day of the run.
    pub date: String,
    /// How long the peers were fed at the true pace.
    pub paced_for: Duration,
    /// How long each was idle in its turn.
    pub idle_for: Duration,
    /// The agent's turns.
    pub agent: Vec<Turn>,
    /// rsyslogd's turns; none when it is missing.
    pub rsyslog: Vec<Turn>,
    /// Bytes to the device per byte of log, SQLite in a burst.
    pub sqlite_burst: Option<f64>,
    /// All at the true pace.
    pub paced: Vec<Paced>,
    /// The agent with a full spool.
    pub full: Option<Full>,
}

/// A row of the table of turns: its name, its remark, and what it shows.
type TurnRow = (&'static str, &'static str, fn(&Turn) -> f64);

const TURNS: [TurnRow; 8] = [
    ("resident memory, MB", " (target 10 MB)", |t| {
        mb(t.memory.resident)
    }),
    ("anonymous memory, MB", "", |t| mb(t.memory.anonymous)),
    ("proportional memory, MB", "", |t| mb(t.memory.proportional)),
    ("peak of resident memory, MB", "", |t| mb(t.memory.peak)),
    ("wake-ups a second, idle", " (target 1)", |t| t.wakeups),
    ("processor seconds an idle hour", "", |t| {
        t.idle_cpu_s_an_hour
    }),
    (
        "processor seconds for 1,000 entries at 100 a second",
        "",
        |t| t.cpu_s_1000,
    ),
    (
        "bytes to the device per byte of log, at 100 entries a second",
        " (target 10)",
        |t| t.burst_device.unwrap_or(f64::NAN),
    ),
];

impl Report {
    /// The section without its heading.
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
            "`vendlog-agent` (as it is packaged) beside rsyslogd from Debian, which reads the same log into \
             a disk queue\nand a file and delivers nowhere; the agent also redacts, classifies and \
             delivers over HTTPS. Measured on {}\non {cores} cores. Times on another machine differ; \
             the ratios are what is compared.\n",
            self.date
        )?;
        if !self.agent.is_empty() {
            self.write_turns(out)?;
        }
        if !self.paced.is_empty() {
            self.write_paced(out)?;
        }
        if let Some(full) = &self.full {
            write_full(out, full)?;
        }
        self.write_how(out)
    }

    fn write_turns(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "| in turn, medians | agent | rsyslogd | agent / rsyslogd |"
        )?;
        writeln!(out, "|---|---:|---:|---:|")?;
        for (name, remark, of) in TURNS {
            let agent = median(&self.agent, of);
            if self.rsyslog.is_empty() {
                writeln!(
                    out,
                    "| {name}{remark} | {} | peer missing | |",
                    number(agent)
                )?;
                continue;
            }
            let peer = median(&self.rsyslog, of);
            let ratio = if peer > 0.0 {
                number(agent / peer)
            } else {
                "-".to_owned()
            };
            writeln!(
                out,
                "| {name}{remark} | {} | {} | {ratio} |",
                number(agent),
                number(peer)
            )?;
        }
        if let Some(ratio) = self.sqlite_burst {
            let ratio = number(ratio);
            writeln!(
                out,
                "\nSQLite, a transaction each (WAL, synchronous=FULL), writes {ratio} bytes \
                          for a byte of log at 100 entries a second."
            )?;
        }
        writeln!(out)
    }

    fn write_paced(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "| 1,000 entries an hour | bytes to the device per byte of log (target 10) | of them by \
             the process | processor s an hour | wake-ups a second | durability |"
        )?;
        writeln!(out, "|---|---:|---:|---:|---:|---|")?;
        for kind in [Kind::Agent, Kind::Rsyslog, Kind::RsyslogSynced].map(Some) {
            match self.paced.iter().find(|paced| paced.kind == kind) {
                Some(paced) => write_one_paced(out, paced)?,
                None => {
                    let name = kind.map_or("", Kind::name);
                    writeln!(out, "| {name} | peer missing | | | | |")?;
                }
            }
        }
        for sqlite in self.paced.iter().filter(|paced| paced.kind.is_none()) {
            write_one_paced(out, sqlite)?;
        }
        writeln!(
            out,
            "\nAt the true pace every moment of the log is a sync of its own, and costs the file system \
             a block of data and several\nof journal for some 180 bytes of text; who syncs nothing \
             pays the journal too.\n"
        )
    }

    fn write_how(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "### How the agent was measured\n\n\
             - Repeat: `cargo xtask bench agent` (as root: it mounts small disks), or shorter: \
             `cargo bench -p tests --bench agent\n  -- --minutes 2 --idle 20`.\n\
             - In turn: agent, rsyslogd, agent, rsyslogd, agent; each is started, reads 200 lines, \
             rests, is idle for {} s, and then\n  reads 1,000 lines at about 100 a second. Memory is \
             taken at the end of the idle time.\n\
             - Wake-ups are voluntary and involuntary context switches of all threads; processor time \
             is the scheduler's.\n\
             - 1,000 entries an hour: the recorded log with its own moments, for {} minutes, every \
             peer at the same time with its\n  own log and its own fresh ext4 on a loop device; bytes \
             are what the device was given, journal and metadata included.\n\
             - The agent sends every 5 minutes and has a heartbeat every 5 minutes, as it comes. Its \
             bytes are spool, cursors and the\n  local rotated file together.",
            self.idle_for.as_secs(),
            self.paced_for.as_secs() / 60,
        )
    }
}

fn write_full(out: &mut String, full: &Full) -> std::fmt::Result {
    writeln!(
        out,
        "An agent without a link whose spool is full ({} MB, {} entries): {} MB resident, {} MB \
         of it anonymous.\nWhile it then delivers them ({:.0} s): at most {} MB resident.\n",
        number(mb(full.spool_bytes)),
        full.entries,
        number(mb(full.paused.resident)),
        number(mb(full.paused.anonymous)),
        full.took.as_secs_f64(),
        number(mb(full.drained.peak)),
    )
}

fn write_one_paced(out: &mut String, paced: &Paced) -> std::fmt::Result {
    let name = paced.kind.map_or("SQLite, a transaction each", Kind::name);
    let durability = paced.kind.map_or("WAL, synchronous=FULL", Kind::durability);
    let per_byte = |bytes: Option<u64>| {
        bytes.map_or("not measured".to_owned(), |bytes| {
            number(bytes as f64 / paced.logical as f64)
        })
    };
    let or_none = |value: Option<f64>| value.map_or(String::new(), number);
    writeln!(
        out,
        "| {name} | {} | {} | {} | {} | {durability} |",
        per_byte(paced.device),
        paced
            .written
            .map_or(String::new(), |bytes| per_byte(Some(bytes))),
        or_none(paced.cpu_s_an_hour),
        or_none(paced.wakeups),
    )
}

fn median(turns: &[Turn], of: fn(&Turn) -> f64) -> f64 {
    let mut all: Vec<f64> = turns.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    let upper = all.get(all.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = all
        .get(all.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(upper);
    (lower + upper) / 2.0
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Three digits that say something.
fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
