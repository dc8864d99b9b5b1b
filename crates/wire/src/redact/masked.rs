//! Card numbers of which a part is hidden: `6396***********9701`, `****1234`, `XXXX-XXXX-XXXX-1234`.

use super::units::{Digits, Unit, before_decimals, digits, masks, peek, separator};

/// The most leading digits that stay readable in a masked card number.
const LEAD_MAX: usize = 8;
/// The most characters of a masked card number: some programs write more masks than digits hidden.
const TOTAL_MAX: usize = 24;
/// The lengths of a masked number that shows no trailing digits.
const CARD_LENGTHS: std::ops::RangeInclusive<usize> = 13..=19;

/// What a masked number is made of.
#[derive(Default)]
struct Parts {
    lead: usize,
    /// A separator stands after the leading digits.
    lead_apart: bool,
    masked: usize,
    trail: usize,
    /// A separator stands before the trailing digits.
    apart: bool,
    /// More than one group of masks.
    groups: usize,
    hash_sign: bool,
    end: usize,
}

/// Where the masked card number ends that starts at `at`, the start of a run of digits or masks.
/// The last digits of a mixed id (`in_id`) do not begin one across a separator.
pub(super) fn end(bytes: &[u8], at: usize, in_id: bool) -> Option<usize> {
    let parts = read(bytes, at)?;
    if in_id && parts.lead_apart {
        return None;
    }
    let total = parts.lead + parts.masked + parts.trail;
    if parts.lead >= 4 {
        let shown_ends = parts.masked >= 3 && (3..=6).contains(&parts.trail) && total <= TOTAL_MAX;
        let hidden_end = parts.masked >= 4 && parts.trail <= 6 && CARD_LENGTHS.contains(&total);
        return (shown_ends || hidden_end).then_some(parts.end);
    }
    let shown_end = parts.masked >= 4 && parts.trail == 4 && total <= TOTAL_MAX;
    (shown_end && stands_alone(bytes, &parts)).then_some(parts.end)
}

/// `****1234` with few other signs of a card number: nothing may go on after it, and a heading such
/// as `#### 2026` is none.
fn stands_alone(bytes: &[u8], parts: &Parts) -> bool {
    let word_goes_on = matches!(peek(bytes, parts.end), Unit::Letter | Unit::Mask);
    let number_goes_on = separator(bytes, parts.end)
        .is_some_and(|(_, next)| matches!(peek(bytes, next), Unit::Digit(_) | Unit::Mask));
    let heading = parts.apart && parts.groups == 1 && parts.hash_sign;
    let apart_and_on = parts.apart && (number_goes_on || bytes.get(parts.end) == Some(&b':'));
    !word_goes_on && !heading && !apart_and_on && !before_decimals(bytes, parts.end)
}

fn read(bytes: &[u8], at: usize) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut ignored = Digits::default();
    let mut next = lead(bytes, at, &mut parts)?;
    let mut kind = None;
    loop {
        let run = masks(bytes, next);
        if run.count == 0 {
            break;
        }
        parts.hash_sign |= bytes[next] == b'#';
        parts.masked += run.count;
        parts.groups += 1;
        parts.end = run.end;
        next = run.end;
        if parts.lead + parts.masked > TOTAL_MAX {
            return None;
        }
        if let Some((which, group)) = separator(bytes, next)
            && *kind.get_or_insert(which) == which
            && matches!(peek(bytes, group), Unit::Digit(_) | Unit::Mask)
        {
            parts.apart = matches!(peek(bytes, group), Unit::Digit(_));
            next = group;
        }
    }
    if parts.masked == 0 {
        return None;
    }
    let trail = digits(bytes, next, &mut ignored);
    parts.trail = trail.count;
    if trail.count > 0 {
        parts.end = trail.end;
    }
    // `**** **** **12 3456`
    if (1..4).contains(&parts.trail)
        && let Some((which, group)) = separator(bytes, parts.end)
        && kind.is_none_or(|kind| kind == which)
    {
        let last = digits(bytes, group, &mut ignored);
        if last.count > 0 && parts.trail + last.count <= 6 {
            parts.trail += last.count;
            parts.end = last.end;
        }
    }
    Some(parts)
}

/// Reads the digits before the masks and gives the start of the masks.
fn lead(bytes: &[u8], at: usize, parts: &mut Parts) -> Option<usize> {
    let mut ignored = Digits::default();
    let first = digits(bytes, at, &mut ignored);
    parts.lead = first.count;
    if first.count > LEAD_MAX {
        return None;
    }
    let Some((_, group)) = separator(bytes, first.end) else {
        return Some(first.end);
    };
    if first.count < 4 {
        return None;
    }
    // `4111 11** **** 1111`: a second group that the masks cut.
    let second = digits(bytes, group, &mut ignored);
    if second.count > 3 || (second.count > 0 && peek(bytes, second.end) != Unit::Mask) {
        return None;
    }
    parts.lead += second.count;
    parts.lead_apart = true;
    Some(second.end)
}
