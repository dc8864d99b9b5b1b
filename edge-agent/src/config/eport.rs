//! `[eport]`: the way through the card reader, and how much of it may be used.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use eport::UploadLayout;
use toml::Spanned;
use wire::Level;
use wire::drops::{DROP_MAX_BYTES, TimePrecision};

use super::sections::INTERVAL_MAX_S;
use super::values::bounded;
use super::wifi::level_set;
use super::{Input, InputKind, Mistakes, raw};

/// The PRD's hour.
pub const SEND_INTERVAL_S: u64 = 3600;
/// The PRD's levels for the cellular link.
pub const LEVELS: [Level; 3] = [Level::Critical, Level::Error, Level::Warn];
/// The PRD's levels that do not wait.
pub const IMMEDIATE: [Level; 1] = [Level::Critical];
/// The smallest drop that can hold its header and one shortened entry.
pub const DROP_MIN_BYTES: u64 = 300;
/// The middle of the PRD's plan of 1 to 2 MB a month.
pub const MONTHLY_BUDGET_BYTES: u64 = 1_500_000;
/// A budget below a drop a day of this size would leave a month without a sign of life.
pub const MONTHLY_BUDGET_MIN_BYTES: u64 = 10_000;

/// Who brings drops to the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EportMode {
    /// The agent itself, on this serial port.
    Serial(PathBuf),
    /// The vending application, which takes them from the agent's socket.
    Handoff,
}

/// The way through the card reader.
#[derive(Debug, Clone)]
pub struct Eport {
    /// Who brings drops to the reader.
    pub mode: EportMode,
    /// Seconds between two drops while there is no better way.
    pub send_interval_s: u64,
    /// The levels that are sent at all, by [`Level::as_u8`].
    pub levels: [bool; 5],
    /// The levels that are sent at once.
    pub immediate: [bool; 5],
    /// The most bytes of a drop.
    pub max_drop_bytes: usize,
    /// The most bytes of a calendar month (UTC).
    pub monthly_budget_bytes: u64,
    /// How exact the times in drops are.
    pub time: TimePrecision,
    /// Nobody else may open the port while the agent has it.
    pub is_exclusive: bool,
    /// How the reader takes files.
    pub reader: UploadLayout,
    /// A dictionary to use rather than the one that came with the agent.
    pub dictionary_file: Option<PathBuf>,
}

/// `None`: it has mistakes; `Some(None)`: it is off.
pub(super) fn build_eport(
    eport: Spanned<raw::Eport>,
    inputs: Option<&[Input]>,
    mistakes: &mut Mistakes,
) -> Option<Option<Eport>> {
    let span = eport.span();
    let eport = eport.into_inner();
    let is_on = eport.enabled.unwrap_or(true);
    let mode = match eport.mode.as_ref().map(|mode| mode.get_ref().as_str()) {
        None | Some("serial") => match eport.port {
            Some(port) => Some(EportMode::Serial(port)),
            None if is_on => {
                mistakes.at(
                    &span,
                    "[eport] needs port = \"/dev/ttyUSB0\", or mode = \"handoff\" when the vending \
                     application has the port",
                );
                None
            }
            None => Some(EportMode::Handoff),
        },
        Some("handoff") => Some(EportMode::Handoff),
        Some(other) => {
            let what =
                format!("eport.mode \"{other}\" is not known; use \"serial\" or \"handoff\"");
            let at = eport.mode.as_ref().map_or(span.clone(), Spanned::span);
            mistakes.at(&at, what);
            None
        }
    };
    let has_socket = inputs.is_none_or(|inputs| {
        inputs
            .iter()
            .any(|input| matches!(input.kind, InputKind::Socket(_)))
    });
    if is_on && mode == Some(EportMode::Handoff) && !has_socket {
        mistakes.at(
            &span,
            "[eport] mode \"handoff\" needs an [[input]] of kind \"socket\": there the vending \
             application takes the drops",
        );
    }
    let numbers = Numbers::build(&eport.send_interval_s, &eport.max_drop_bytes, mistakes);
    let budget = bounded(
        eport.monthly_budget_bytes,
        MONTHLY_BUDGET_BYTES,
        MONTHLY_BUDGET_MIN_BYTES..=u64::MAX,
        "eport.monthly_budget_bytes",
        mistakes,
    );
    let levels = level_set(eport.levels, &LEVELS, mistakes);
    let immediate = level_set(eport.immediate, &IMMEDIATE, mistakes);
    let time = build_time(eport.time.as_ref(), mistakes);
    let built = Eport {
        mode: mode?,
        send_interval_s: numbers.interval_s,
        levels: levels?,
        immediate: immediate?,
        max_drop_bytes: numbers.drop_bytes,
        monthly_budget_bytes: budget,
        time: time?,
        is_exclusive: eport.exclusive.unwrap_or(false),
        reader: build_reader(eport.reader, mistakes),
        dictionary_file: eport.dictionary_file,
    };
    Some(is_on.then_some(built))
}

struct Numbers {
    interval_s: u64,
    drop_bytes: usize,
}

impl Numbers {
    fn build(
        interval_s: &Option<Spanned<u64>>,
        drop_bytes: &Option<Spanned<u64>>,
        mistakes: &mut Mistakes,
    ) -> Numbers {
        let most = DROP_MAX_BYTES as u64;
        let mut number =
            |value: &Option<Spanned<u64>>, default, range: RangeInclusive<u64>, key| {
                bounded(value.clone(), default, range, key, mistakes)
            };
        let interval_s = number(
            interval_s,
            SEND_INTERVAL_S,
            1..=INTERVAL_MAX_S,
            "eport.send_interval_s",
        );
        let range = DROP_MIN_BYTES..=most;
        let drop_bytes = number(drop_bytes, most, range, "eport.max_drop_bytes");
        Numbers {
            interval_s,
            drop_bytes: usize::try_from(drop_bytes).unwrap_or(DROP_MAX_BYTES),
        }
    }
}

fn build_reader(reader: Option<Spanned<UploadLayout>>, mistakes: &mut Mistakes) -> UploadLayout {
    let Some(reader) = reader else {
        return UploadLayout::default();
    };
    if let Err(error) = reader.get_ref().check() {
        mistakes.at(&reader.span(), format!("[eport.reader]: {error}"));
    }
    reader.into_inner()
}

fn build_time(time: Option<&Spanned<String>>, mistakes: &mut Mistakes) -> Option<TimePrecision> {
    let Some(time) = time else {
        return Some(TimePrecision::default());
    };
    match time.get_ref().as_str() {
        "minute" => Some(TimePrecision::Minute),
        "second" => Some(TimePrecision::Second),
        "ms" => Some(TimePrecision::Millisecond),
        other => {
            let what = format!("eport.time \"{other}\" is not known; use minute, second or ms");
            mistakes.at(&time.span(), what);
            None
        }
    }
}
