//! The text of an SMS: what every message must carry first, then as much of the rest as fits.

use wire::machine_id::MACHINE_ID_MAX_CHARS;

use super::Config;
use super::segments::{count, plainer};
use crate::message::{Kind, MachineRef};
use crate::shown::Shown;
use crate::{clean, template, when, words};

/// Letters of an issue, and of each name; the first pair with which the required part fits is
/// taken, and [`compact`] when none does.
const CUTS: [(usize, usize); 4] = [(80, 60), (60, 30), (40, 16), (24, 10)];
/// With these, [`compact`] fits into one segment in any script.
const COMPACT_ISSUE_CHARS: usize = 10;
const COMPACT_NAME_CHARS: usize = 4;

/// The text, of `max_segments` at most.
pub(super) fn text(config: &Config, shown: &Shown) -> String {
    let most = u32::from(config.max_segments);
    let fits = |text: &str| count(text) <= most;
    let (_, own_words) = template::compose(shown);
    let own_words = own_words.as_deref().map(plain);
    if let Some(own_words) = own_words.as_deref().filter(|words| fits(words)) {
        return own_words.to_owned();
    }
    let in_full = CUTS.into_iter().filter(|_| own_words.is_none());
    let in_full = in_full.map(|cuts| plain(&required(shown, cuts)));
    let mut text = in_full
        .into_iter()
        .find(|text| fits(text))
        .unwrap_or_else(|| plain(&compact(shown)));
    let asks = config.takes_replies && words::wants_acknowledgement(shown);
    if let Some(alert) = shown.alert.as_ref().filter(|_| asks) {
        add(&mut text, &format!(" Reply ACK {}", alert.no), fits);
    }
    if let Some(link) = &shown.link {
        add(&mut text, &format!(" {link}"), fits);
    }
    let rest = own_words.unwrap_or_else(|| plain(&shown.facts));
    add_cut(&mut text, &rest, fits);
    text
}

/// Machine, issue, time, name and site, with what kind of message it is.
fn required(shown: &Shown, (issue, name): (usize, usize)) -> String {
    let short = |machine: &MachineRef| {
        let parts = [&machine.name, &machine.site].map(|text| clean::cut(text, name));
        let known: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|p| !p.is_empty())
            .collect();
        match known.is_empty() {
            true => machine.id.clone(),
            false => format!("{} {}", machine.id, known.join(", ")),
        }
    };
    let machines = match shown.machines.as_slice() {
        [] => "no machine".to_owned(),
        [one] => short(one),
        [first, rest @ ..] => format!("{} and {} more", short(first), rest.len()),
    };
    format!(
        "{}{} {}: {machines}. {}{}.",
        words::prefix(shown.kind),
        shown.severity.as_str(),
        clean::cut(&shown.issue, issue),
        when::short(shown.at, &shown.timezone),
        if shown.is_late { " late" } else { "" },
    )
}

/// The same in the fewest letters.
fn compact(shown: &Shown) -> String {
    let first = |text: &str, most: usize| -> String { text.chars().take(most).collect() };
    let kind = match shown.kind {
        Kind::First => String::new(),
        Kind::Repeat { n } => format!("Rep.{n}: "),
        Kind::Escalation { .. } => "Escal.: ".into(),
        Kind::Resolved => "Over: ".into(),
        Kind::Acknowledged => "Ack.: ".into(),
        Kind::Group => "Group: ".into(),
        Kind::Digest => "Digest: ".into(),
        Kind::Late => "Late: ".into(),
        Kind::Test => "Test: ".into(),
    };
    let mut parts = vec![format!(
        "{kind}{}:",
        first(&shown.issue, COMPACT_ISSUE_CHARS)
    )];
    if let Some(machine) = shown.machines.first() {
        parts.push(first(&machine.id, MACHINE_ID_MAX_CHARS));
        parts.push(first(&machine.name, COMPACT_NAME_CHARS));
        parts.push(first(&machine.site, COMPACT_NAME_CHARS));
    }
    match shown.machines.len() {
        0 => parts.push("no machine".into()),
        1 => {}
        count => parts.push(format!("+{}", count - 1)),
    }
    parts.push(when::short(shown.at, &shown.timezone));
    if shown.is_late {
        parts.push("late".into());
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn plain(text: &str) -> String {
    let text: String = text.chars().map(plainer).collect();
    text.trim_end().to_owned()
}

fn add(text: &mut String, part: &str, fits: impl Fn(&str) -> bool) {
    let longer = format!("{text}{part}");
    if fits(&longer) {
        *text = longer;
    }
}

/// Adds as much of `part` as fits; less than a few words are left out.
fn add_cut(text: &mut String, part: &str, fits: impl Fn(&str) -> bool) {
    const LEAST_CHARS: usize = 12;
    let chars = part.chars().count();
    let with = |count: usize| {
        let kept: String = part.chars().take(count).collect();
        let cut = if count < chars { ".." } else { "" };
        format!("{text} {}{cut}", kept.trim_end())
    };
    // Longer never fits where shorter does not.
    let (mut low, mut high) = (0, chars);
    while low < high {
        let middle = (low + high).div_ceil(2);
        match fits(&with(middle)) {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    if low >= LEAST_CHARS.min(chars) && low > 0 {
        *text = with(low);
    }
}
