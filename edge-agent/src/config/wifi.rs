//! `[wifi]`: the server, how it is known, and when it is sent what.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use toml::Spanned;
use wire::Level;

use super::sections::INTERVAL_MAX_S;
use super::values::{bounded, parsed, within};
use super::{Mistakes, raw};

/// The PRD's 5 minutes.
pub const SEND_INTERVAL_S: u64 = 300;
/// The PRD's levels that do not wait.
pub const IMMEDIATE: [Level; 2] = [Level::Critical, Level::Error];

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

/// `None`: it has mistakes; `Some(None)`: it is off.
pub(super) fn build_wifi(
    wifi: Spanned<raw::Wifi>,
    mistakes: &mut Mistakes,
) -> Option<Option<Wifi>> {
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

pub(super) fn level_set(
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
