//! Each section of `agent.toml`: its values, its defaults with their reasons, its checks.

use std::ops::Range;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use toml::Spanned;
use wire::{Level, MachineId};

use super::{Config, Mistakes, raw};
use crate::assemble::{Format, Json, Pattern, Python, Zone};
use crate::pack;

/// A week of an idle machine's log (about 1.3 MB an hour with its origins) before inputs pause.
pub const SPOOL_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Below a few segments nothing could be removed while something is written.
pub const SPOOL_MIN_BYTES: u64 = 4 * crate::spool::SEGMENT_BYTES;
/// Where the PRD has it.
pub const LOCAL_PATH: &str = "/var/log/vendlog/vending_machine.log";
/// The PRD's 10 MB a file.
pub const LOCAL_MAX_BYTES: u64 = 10 * 1024 * 1024;
/// A file must hold at least one entry of the largest kind, escaped.
pub const LOCAL_MIN_BYTES: u64 = 1024 * 1024;
/// The PRD's 5 files in total: 50 MB.
pub const LOCAL_FILES: u32 = 5;
/// More are of no use to anybody, and every rotation renames them all.
pub const LOCAL_MAX_FILES: u32 = 1000;
/// The PRD's 5 minutes.
pub const SEND_INTERVAL_S: u64 = 300;
/// Beyond a day a machine would look dead for longer than anyone waits.
pub const INTERVAL_MAX_S: u64 = 24 * 3600;
/// The PRD's levels that do not wait.
pub const IMMEDIATE: [Level; 2] = [Level::Critical, Level::Error];
/// The PRD's 5 minutes.
pub const HEARTBEAT_INTERVAL_S: u64 = 300;
/// Names under which applications log the id of a transaction.
pub const HASH_FIELDS: [&str; 3] = ["transaction_id", "txn", "txn_id"];
/// Names under which applications log who bought.
pub const DROP_FIELDS: [&str; 5] = ["customer", "customer_name", "name", "phone", "email"];

/// A followed file.
#[derive(Debug, Clone)]
pub struct Input {
    /// The log's path.
    pub path: PathBuf,
    /// How its lines are read.
    pub format: Format,
    /// The zone of its times.
    pub zone: Zone,
    /// The name of its pack; one of [`pack::names`].
    pub pack: Option<String>,
    /// Where the section is, for further mistakes.
    pub span: Range<usize>,
}

/// The spool's bound.
#[derive(Debug, Clone, Copy)]
pub struct Spool {
    /// At this size inputs pause.
    pub max_bytes: u64,
}

/// The rotated file on the machine.
#[derive(Debug, Clone)]
pub struct Local {
    /// The file being written; `.1`, `.2` ... are older.
    pub path: PathBuf,
    /// A file is rotated before it becomes larger.
    pub max_bytes: u64,
    /// Files in total, the one being written included.
    pub files: u32,
}

/// When entries that can wait are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// So many seconds apart.
    Interval(u64),
    /// As they come, at most a second late.
    Continuous,
}

/// The server and how to reach it.
#[derive(Debug, Clone)]
pub struct Wifi {
    /// `https://host[:port]`, no slash at the end.
    pub url: String,
    /// The file with the API key.
    pub api_key_file: PathBuf,
    /// How the server is known.
    pub trust: WifiTrust,
    /// A proxy that takes CONNECT.
    pub proxy: Option<String>,
    /// When entries are sent.
    pub mode: Mode,
    /// The levels that are sent at all, by [`Level::as_u8`].
    pub levels: [bool; 5],
    /// The levels that are sent at once.
    pub immediate: [bool; 5],
}

/// How the server's certificate is judged.
#[derive(Debug, Clone, Default)]
pub struct WifiTrust {
    /// SHA-256 of the public keys that are accepted; empty: the usual chain of certificates.
    pub pins: Vec<[u8; 32]>,
    /// Authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// The sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    /// Seconds between two.
    pub interval_s: u64,
}

/// What is hashed and dropped.
#[derive(Debug, Clone)]
pub struct Privacy {
    /// Fields whose value becomes a keyed hash.
    pub hash_fields: Vec<String>,
    /// Fields whose value goes.
    pub drop_fields: Vec<String>,
}

pub(super) fn build(raw: raw::Config, mistakes: &mut Mistakes) -> Option<Config> {
    let machine_id = required(raw.machine_id, "machine_id", "VM001", mistakes)
        .and_then(|id| parsed::<MachineId>("machine_id", &id, mistakes));
    let state_dir = required(
        raw.state_dir,
        "state_dir",
        "/var/lib/vendlog-agent",
        mistakes,
    );
    if raw.input.is_empty() {
        mistakes.missing("no [[input]] is given; name the log file to follow");
    }
    let inputs: Vec<Option<Input>> = raw
        .input
        .into_iter()
        .map(|input| build_input(input, mistakes))
        .collect();
    let inputs: Option<Vec<Input>> = inputs.into_iter().collect();
    for (index, input) in inputs.iter().flatten().enumerate() {
        let earlier = &inputs.as_deref().unwrap_or_default()[..index];
        if earlier.iter().any(|other| other.path == input.path) {
            mistakes.at(
                &input.span,
                "this path is the input of an earlier section already",
            );
        }
    }
    if let Some(eport) = &raw.eport
        && eport.get_ref().enabled.unwrap_or(true)
    {
        mistakes.at(
            &eport.span(),
            "[eport] is not in this version; set enabled = false in it, or remove the section",
        );
    }
    let wifi = raw.wifi.map(|wifi| build_wifi(wifi, mistakes));
    let wifi = match wifi {
        Some(None) => return None,
        Some(Some(wifi)) => wifi,
        None => None,
    };
    Some(Config {
        machine_id: machine_id?,
        state_dir: state_dir?.into_inner(),
        inputs: inputs?,
        spool: build_spool(raw.spool, mistakes),
        local: build_local(raw.local, mistakes),
        wifi,
        heartbeat: build_heartbeat(raw.heartbeat, mistakes),
        privacy: build_privacy(raw.privacy),
    })
}

fn build_input(input: Spanned<raw::Input>, mistakes: &mut Mistakes) -> Option<Input> {
    let span = input.span();
    let input = input.into_inner();
    let kind = within(input.kind, &span, "input needs kind = \"file\"", mistakes)?;
    match kind.get_ref().as_str() {
        "file" => {}
        later @ ("journal" | "socket" | "syslog") => {
            mistakes.at(
                &kind.span(),
                format!("input kind \"{later}\" is not in this version; use kind = \"file\""),
            );
            return None;
        }
        other => {
            mistakes.at(
                &kind.span(),
                format!("input kind \"{other}\" is not known; use \"file\""),
            );
            return None;
        }
    }
    let path = within(
        input.path,
        &span,
        "input needs the path of the log file",
        mistakes,
    );
    let format = build_format(
        (input.format, input.pattern, input.time_format),
        &span,
        mistakes,
    );
    let zone = build_zone(
        input.timezone,
        matches!(format, Some(Format::Json(_))),
        &span,
        mistakes,
    );
    let pack = match input.pack {
        Some(name) if !pack::names().any(|known| known == name.get_ref()) => {
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
        other => other.map(Spanned::into_inner),
    };
    Some(Input {
        path: path?.into_inner(),
        format: format?,
        zone: zone?,
        pack,
        span,
    })
}

fn build_zone(
    name: Option<Spanned<String>>,
    optional: bool,
    span: &Range<usize>,
    mistakes: &mut Mistakes,
) -> Option<Zone> {
    let name = match name {
        // JSON times mostly carry their offset; where they do not they are UTC.
        None if optional => return Some(Zone::utc()),
        // Other applications log local time without saying so: a guess would be hours off.
        None => {
            mistakes.at(
                span,
                "input needs the timezone of its times, such as timezone = \"America/Los_Angeles\"",
            );
            return None;
        }
        Some(name) => name,
    };
    let zone = Zone::named(name.get_ref());
    if zone.is_none() {
        mistakes.at(
            &name.span(),
            format!(
                "timezone \"{}\" is not known; give an IANA name such as \"America/Los_Angeles\"",
                name.get_ref()
            ),
        );
    }
    zone
}

type FormatKeys = (
    Option<Spanned<String>>,
    Option<Spanned<String>>,
    Option<Spanned<String>>,
);

fn build_format(
    (format, pattern, time_format): FormatKeys,
    span: &Range<usize>,
    mistakes: &mut Mistakes,
) -> Option<Format> {
    let format = within(
        format,
        span,
        "input needs format = \"python\", \"json\" or \"pattern\"",
        mistakes,
    )?;
    let is_pattern = format.get_ref() == "pattern";
    if let Some(useless) = pattern
        .as_ref()
        .or(time_format.as_ref())
        .filter(|_| !is_pattern)
    {
        mistakes.at(&useless.span(), "this key is only for format = \"pattern\"");
        return None;
    }
    match format.get_ref().as_str() {
        "python" => Some(Format::Python(Python)),
        "json" => Some(Format::Json(Json)),
        "pattern" => {
            let pattern = within(
                pattern,
                span,
                "format \"pattern\" needs pattern = '...' with the groups time and message",
                mistakes,
            )?;
            match Pattern::new(pattern.get_ref(), time_format.map(Spanned::into_inner)) {
                Ok(built) => Some(Format::Pattern(built)),
                Err(error) => {
                    mistakes.at(&pattern.span(), format!("pattern {error}"));
                    None
                }
            }
        }
        other => {
            mistakes.at(
                &format.span(),
                format!("format \"{other}\" is not known; use \"python\", \"json\" or \"pattern\""),
            );
            None
        }
    }
}

fn build_spool(spool: Option<raw::Spool>, mistakes: &mut Mistakes) -> Spool {
    let max_bytes = spool.and_then(|spool| spool.max_bytes);
    let range = SPOOL_MIN_BYTES..=u64::MAX;
    Spool {
        max_bytes: bounded(
            max_bytes,
            SPOOL_MAX_BYTES,
            range,
            "spool.max_bytes",
            mistakes,
        ),
    }
}

fn build_local(local: Option<raw::Local>, mistakes: &mut Mistakes) -> Local {
    let (path, max_bytes, files) = match local {
        Some(local) => (local.path, local.max_bytes, local.files),
        None => (None, None, None),
    };
    Local {
        path: path.map_or_else(|| LOCAL_PATH.into(), Spanned::into_inner),
        max_bytes: bounded(
            max_bytes,
            LOCAL_MAX_BYTES,
            LOCAL_MIN_BYTES..=u64::MAX,
            "local.max_bytes",
            mistakes,
        ),
        files: bounded(
            files,
            LOCAL_FILES,
            1..=LOCAL_MAX_FILES,
            "local.files",
            mistakes,
        ),
    }
}

fn build_heartbeat(heartbeat: Option<raw::Heartbeat>, mistakes: &mut Mistakes) -> Heartbeat {
    let interval = heartbeat.and_then(|heartbeat| heartbeat.interval_s);
    let range = 1..=INTERVAL_MAX_S;
    Heartbeat {
        interval_s: bounded(
            interval,
            HEARTBEAT_INTERVAL_S,
            range,
            "heartbeat.interval_s",
            mistakes,
        ),
    }
}

fn build_privacy(privacy: Option<raw::Privacy>) -> Privacy {
    let (hash, drop) = privacy.map_or((None, None), |p| (p.hash_fields, p.drop_fields));
    let defaults = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Privacy {
        hash_fields: hash.unwrap_or_else(|| defaults(&HASH_FIELDS)),
        drop_fields: drop.unwrap_or_else(|| defaults(&DROP_FIELDS)),
    }
}

/// `None`: it has mistakes; `Some(None)`: it is off.
fn build_wifi(wifi: Spanned<raw::Wifi>, mistakes: &mut Mistakes) -> Option<Option<Wifi>> {
    let span = wifi.span();
    let wifi = wifi.into_inner();
    if !wifi.enabled.unwrap_or(true) {
        return Some(None);
    }
    let url = within(
        wifi.url,
        &span,
        "[wifi] needs url = \"https://...\"",
        mistakes,
    )
    .and_then(|url| checked_url(&url, mistakes));
    let key = within(
        wifi.api_key_file,
        &span,
        "[wifi] needs api_key_file",
        mistakes,
    );
    let pins: Vec<Option<[u8; 32]>> = [(wifi.pin, "pin"), (wifi.backup_pin, "backup_pin")]
        .into_iter()
        .filter_map(|(pin, key)| pin.map(|pin| checked_pin(&pin, key, mistakes)))
        .collect();
    let mode = build_mode(wifi.mode, wifi.send_interval_s, mistakes);
    let levels = level_set(wifi.levels, &Level::ALL, mistakes);
    let immediate = level_set(wifi.immediate, &IMMEDIATE, mistakes);
    let pins: Option<Vec<[u8; 32]>> = pins.into_iter().collect();
    Some(Some(Wifi {
        url: url?,
        api_key_file: key?.into_inner(),
        trust: WifiTrust {
            pins: pins?,
            ca_file: wifi.ca_file.map(Spanned::into_inner),
        },
        proxy: wifi.proxy.map(Spanned::into_inner),
        mode: mode?,
        levels: levels?,
        immediate: immediate?,
    }))
}

fn checked_url(url: &Spanned<String>, mistakes: &mut Mistakes) -> Option<String> {
    let text = url.get_ref().trim_end_matches('/');
    let host = text.strip_prefix("https://");
    match host {
        Some(host) if reqwest::Url::parse(text).is_ok() && !host.contains('/') => {
            Some(text.to_owned())
        }
        _ if text.starts_with("http://") => {
            mistakes.at(
                &url.span(),
                "wifi.url is http://, which anybody on the way can read; use https://",
            );
            None
        }
        _ => {
            mistakes.at(
                &url.span(),
                "wifi.url must be https://HOST or https://HOST:PORT and no more",
            );
            None
        }
    }
}

fn checked_pin(pin: &Spanned<String>, key: &str, mistakes: &mut Mistakes) -> Option<[u8; 32]> {
    let parsed = parse_pin(pin.get_ref());
    if parsed.is_none() {
        mistakes.at(
            &pin.span(),
            format!(
                "wifi.{key} must be sha256/ and 44 characters of base64, as the server prints it"
            ),
        );
    }
    parsed
}

/// Reads `sha256/<base64 of 32 bytes>`, padded or not.
pub fn parse_pin(text: &str) -> Option<[u8; 32]> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let base64 = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    base64
        .decode(text.strip_prefix("sha256/")?)
        .ok()?
        .try_into()
        .ok()
}

fn build_mode(
    mode: Option<Spanned<String>>,
    interval_s: Option<Spanned<u64>>,
    mistakes: &mut Mistakes,
) -> Option<Mode> {
    let interval = bounded(
        interval_s,
        SEND_INTERVAL_S,
        1..=INTERVAL_MAX_S,
        "wifi.send_interval_s",
        mistakes,
    );
    match mode {
        None => Some(Mode::Interval(interval)),
        Some(mode) => match mode.get_ref().as_str() {
            "interval" => Some(Mode::Interval(interval)),
            "continuous" => Some(Mode::Continuous),
            other => {
                mistakes.at(
                    &mode.span(),
                    format!(
                        "wifi.mode \"{other}\" is not known; use \"interval\" or \"continuous\""
                    ),
                );
                None
            }
        },
    }
}

fn level_set(
    words: Option<Vec<Spanned<String>>>,
    default: &[Level],
    mistakes: &mut Mistakes,
) -> Option<[bool; 5]> {
    let mut set = [false; 5];
    let Some(words) = words else {
        default
            .iter()
            .for_each(|level| set[usize::from(level.as_u8())] = true);
        return Some(set);
    };
    let mut sound = true;
    for word in &words {
        match parsed::<Level>("level", word, mistakes) {
            Some(level) => set[usize::from(level.as_u8())] = true,
            None => sound = false,
        }
    }
    sound.then_some(set)
}

fn bounded<T: Copy + PartialOrd + std::fmt::Display>(
    value: Option<Spanned<T>>,
    default: T,
    range: std::ops::RangeInclusive<T>,
    key: &str,
    mistakes: &mut Mistakes,
) -> T {
    let Some(value) = value else { return default };
    if !range.contains(value.get_ref()) {
        mistakes.at(
            &value.span(),
            format!(
                "{key} must be from {} to {}, not {}",
                range.start(),
                range.end(),
                value.get_ref()
            ),
        );
    }
    value.into_inner()
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    key: &str,
    value: &Spanned<String>,
    mistakes: &mut Mistakes,
) -> Option<T> {
    value
        .get_ref()
        .parse()
        .map_err(|error| mistakes.at(&value.span(), format!("{key}: {error}")))
        .ok()
}

fn required<T>(
    value: Option<Spanned<T>>,
    key: &str,
    example: &str,
    mistakes: &mut Mistakes,
) -> Option<Spanned<T>> {
    if value.is_none() {
        mistakes.missing(format!(
            "{key} is missing; add {key} = \"{example}\" at the top"
        ));
    }
    value
}

fn within<T>(
    value: Option<Spanned<T>>,
    section: &Range<usize>,
    problem: &str,
    mistakes: &mut Mistakes,
) -> Option<Spanned<T>> {
    if value.is_none() {
        mistakes.at(section, problem);
    }
    value
}
