//! Values with their bounds, and what to say when they are missing or wrong.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;

use super::Mistakes;

pub(super) fn bounded<T: Copy + PartialOrd + std::fmt::Display>(
    value: Option<Spanned<T>>,
    default: T,
    range: RangeInclusive<T>,
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

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
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

pub(super) fn required<T>(
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

pub(super) fn within<T>(
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
