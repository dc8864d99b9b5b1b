//! `[[input]]`: which file is followed, and how its lines are read.

use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;

use super::values::within;
use super::{Mistakes, raw};
use crate::assemble::{Format, Json, Pattern, Python, Zone};
use crate::pack;

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

pub(super) fn build_input(input: Spanned<raw::Input>, mistakes: &mut Mistakes) -> Option<Input> {
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
