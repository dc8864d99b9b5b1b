//! `[[input]]`: what is read, and how. One struct for each kind.

mod live;
mod reading;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::values::within;
use super::{Mistakes, raw};
use crate::pack;

pub use live::{LOOPBACK_ONLY, Socket, SocketFile, Syslog};
pub use reading::Reading;

use live::{build_socket, build_syslog};
use reading::{build_optional_reading, build_reading};

/// An input.
#[derive(Debug, Clone)]
pub struct Input {
    /// Under which the spool remembers it: unique, and the same at every start.
    pub name: String,
    /// What is read.
    pub kind: InputKind,
    /// The name of its pack; one of [`pack::names`].
    pub pack: Option<String>,
    /// Where the section is, for further mistakes.
    pub span: Range<usize>,
}

/// What is read.
#[derive(Debug, Clone)]
pub enum InputKind {
    /// A followed file.
    File(File),
    /// Units of the systemd journal.
    Journal(Journal),
    /// The agent's own socket.
    Socket(Socket),
    /// What Python's `SysLogHandler` sends.
    Syslog(Syslog),
}

/// A followed file.
#[derive(Debug, Clone)]
pub struct File {
    /// The log's path.
    pub path: PathBuf,
    /// How its lines are read.
    pub reading: Reading,
}

/// Units of the systemd journal.
#[derive(Debug, Clone)]
pub struct Journal {
    /// The units, in order; every one when there is none.
    pub units: Vec<String>,
    /// A directory of journal files instead of the system's.
    pub directory: Option<PathBuf>,
    /// One journal file instead of the system's.
    pub file: Option<PathBuf>,
    /// How the lines of its messages are read; `None`: the journal's own fields are taken.
    pub reading: Option<Reading>,
}

impl Input {
    /// The path of the file that is followed; `None` for the other kinds.
    pub fn file_path(&self) -> Option<&Path> {
        match &self.kind {
            InputKind::File(file) => Some(&file.path),
            _ => None,
        }
    }

    /// The files and sockets that are its own: no other part of the agent may use them.
    pub fn own_paths(&self) -> impl Iterator<Item = &Path> {
        let path = match &self.kind {
            InputKind::File(file) => Some(file.path.as_path()),
            InputKind::Journal(journal) => journal.file.as_deref(),
            InputKind::Socket(socket) => Some(socket.file.path.as_path()),
            InputKind::Syslog(syslog) => syslog.file.as_ref().map(|file| file.path.as_path()),
        };
        path.into_iter()
    }
}

/// Every `[[input]]` section; `None` when one has a mistake.
pub(super) fn build_inputs(
    raw: Vec<Spanned<raw::Input>>,
    mistakes: &mut Mistakes,
) -> Option<Vec<Input>> {
    let inputs: Vec<Option<Input>> = raw
        .into_iter()
        .map(|input| build_input(input, mistakes))
        .collect();
    let inputs: Vec<Input> = inputs.into_iter().collect::<Option<_>>()?;
    for (index, input) in inputs.iter().enumerate() {
        let is_taken = |other: &Input| {
            other.name == input.name || other.own_paths().any(|p| input.own_paths().any(|q| p == q))
        };
        if inputs[..index].iter().any(is_taken) {
            mistakes.at(
                &input.span,
                "this is the input of an earlier section already; remove one of them",
            );
        }
    }
    Some(inputs)
}

fn build_input(input: Spanned<raw::Input>, mistakes: &mut Mistakes) -> Option<Input> {
    let span = input.span();
    let mut input = input.into_inner();
    let problem = "input needs kind = \"file\", \"journal\", \"socket\" or \"syslog\"";
    let kind = within(input.kind.take(), &span, problem, mistakes)?;
    let is_sound = refuse_foreign_keys(&input, kind.get_ref(), mistakes);
    let pack = build_pack(input.pack.take(), mistakes);
    let (name, kind) = match kind.get_ref().as_str() {
        "file" => build_file(input, &span, mistakes)?,
        "journal" => build_journal(input, &span, mistakes)?,
        "socket" => build_socket(input, mistakes)?,
        "syslog" => build_syslog(input, &span, mistakes)?,
        other => {
            mistakes.at(
                &kind.span(),
                format!(
                    "input kind \"{other}\" is not known; use \"file\", \"journal\", \"socket\" or \
                     \"syslog\""
                ),
            );
            return None;
        }
    };
    is_sound.then_some(Input {
        name,
        kind,
        pack,
        span,
    })
}

/// Names every key that the kind has no use for.
fn refuse_foreign_keys(input: &raw::Input, kind: &str, mistakes: &mut Mistakes) -> bool {
    fn at<T>(key: &Option<Spanned<T>>) -> Option<Range<usize>> {
        key.as_ref().map(Spanned::span)
    }
    const LINES: &[&str] = &["file", "journal", "syslog"];
    const SOCKETS: &[&str] = &["socket", "syslog"];
    let keys = [
        ("path", at(&input.path), &["file", "socket", "syslog"][..]),
        ("format", at(&input.format), LINES),
        ("timezone", at(&input.timezone), LINES),
        ("pattern", at(&input.pattern), LINES),
        ("time_format", at(&input.time_format), LINES),
        ("unit", at(&input.unit), &["journal"]),
        ("units", at(&input.units), &["journal"]),
        ("directory", at(&input.directory), &["journal"]),
        ("file", at(&input.file), &["journal"]),
        ("mode", at(&input.mode), SOCKETS),
        ("group", at(&input.group), SOCKETS),
        ("udp", at(&input.udp), &["syslog"]),
        ("allow_network", at(&input.allow_network), &["syslog"]),
    ];
    let mut is_sound = true;
    for (key, span, kinds) in keys {
        let Some(span) = span.filter(|_| !kinds.contains(&kind)) else {
            continue;
        };
        is_sound = false;
        let kinds = kinds.join(" or ");
        mistakes.at(&span, format!("input key {key} is only for kind {kinds}"));
    }
    is_sound
}

fn build_file(
    mut input: raw::Input,
    span: &Range<usize>,
    mistakes: &mut Mistakes,
) -> Option<(String, InputKind)> {
    let problem = "input needs the path of the log file";
    let path = within(input.path.take(), span, problem, mistakes);
    let reading = build_reading(&mut input, span, mistakes);
    let path = path?.into_inner();
    let name = path.display().to_string();
    let reading = reading?;
    Some((name, InputKind::File(File { path, reading })))
}

fn build_journal(
    mut input: raw::Input,
    span: &Range<usize>,
    mistakes: &mut Mistakes,
) -> Option<(String, InputKind)> {
    let reading = build_optional_reading(&mut input, span, mistakes);
    let one = input.unit.map(Spanned::into_inner);
    let many = input.units.map(Spanned::into_inner).unwrap_or_default();
    let mut units: Vec<String> = one.into_iter().chain(many).collect();
    units.sort();
    units.dedup();
    if units.is_empty() {
        mistakes.at(
            span,
            "journal input needs its units, such as units = [\"soap.service\"]",
        );
        return None;
    }
    let directory = input.directory.map(Spanned::into_inner);
    let file = input.file.map(Spanned::into_inner);
    if directory.is_some() && file.is_some() {
        mistakes.at(span, "journal input takes directory or file, not both");
        return None;
    }
    let mut name = format!("journal:{}", units.join(","));
    if let Some(place) = directory.as_ref().or(file.as_ref()) {
        name.push_str(&format!("@{}", place.display()));
    }
    let kind = InputKind::Journal(Journal {
        units,
        directory,
        file,
        reading: reading?,
    });
    Some((name, kind))
}

fn build_pack(name: Option<Spanned<String>>, mistakes: &mut Mistakes) -> Option<String> {
    let name = name?;
    if pack::names().any(|known| known == name.get_ref()) {
        return Some(name.into_inner());
    }
    let known: Vec<_> = pack::names().collect();
    mistakes.at(
        &name.span(),
        format!(
            "pack \"{}\" is not known; there is: {}",
            name.get_ref(),
            known.join(", ")
        ),
    );
    None
}
