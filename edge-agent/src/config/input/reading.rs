//! How the lines of an input are read: `format` with its own keys, and `timezone`.

use std::ops::Range;

use toml::Spanned;

use crate::assemble::{Format, Json, Pattern, Python, Zone};
use crate::config::values::within;
use crate::config::{Mistakes, raw};

/// How lines are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Their form.
    pub format: Format,
    /// The zone of their times.
    pub zone: Zone,
}

/// The reading of an input whose lines need one.
pub(super) fn build_reading(
    input: &mut raw::Input,
    span: &Range<usize>,
    mistakes: &mut Mistakes,
) -> Option<Reading> {
    let keys = (
        input.format.take(),
        input.pattern.take(),
        input.time_format.take(),
    );
    let format = build_format(keys, span, mistakes);
    let is_json = matches!(format, Some(Format::Json(_)));
    let zone = build_zone(input.timezone.take(), is_json, span, mistakes);
    Some(Reading {
        format: format?,
        zone: zone?,
    })
}

/// The reading of an input that has times of its own; the outer `None` is a mistake.
pub(super) fn build_optional_reading(
    input: &mut raw::Input,
    span: &Range<usize>,
    mistakes: &mut Mistakes,
) -> Option<Option<Reading>> {
    if input.format.is_some() {
        return build_reading(input, span, mistakes).map(Some);
    }
    let useless = [&input.pattern, &input.time_format, &input.timezone];
    if let Some(useless) = useless.into_iter().flatten().next() {
        mistakes.at(
            &useless.span(),
            "this key is only for an input with a format",
        );
        return None;
    }
    Some(None)
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
