//! The user's own words, with `{{names}}` in them. What every message must carry and a template
//! leaves out is added below it.

use serde::{Deserialize, Serialize};

use crate::shown::Shown;
use crate::{clean, limits, words};

/// A subject and a body of the user's own; what is not given is ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = MessageTemplate))]
#[serde(default, deny_unknown_fields)]
pub struct Template {
    /// One line.
    pub subject: Option<String>,
    /// Lines.
    pub body: Option<String>,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name that is not known.
    #[error("{{{{{0}}}}} is not known; use one of {known}", known = NAMES.join(", "))]
    Unknown(String),
    /// A pair of braces that is not closed.
    #[error("\"{0}\" opens {{{{ and never closes it; write }}}} behind the name")]
    Unclosed(String),
    /// Longer than may be.
    #[error("the template is too long; {0} characters are the most")]
    TooLong(usize),
}

/// The names that a template may use between `{{` and `}}`.
pub const NAMES: [&str; 14] = [
    "machine_id",
    "machine_name",
    "site",
    "location",
    "machines",
    "issue",
    "severity",
    "time",
    "facts",
    "items",
    "link",
    "kind",
    "alert_no",
    "subject",
];

/// What a body must carry: the line that adds it, and the names that do.
const REQUIRED: [(&str, &str, &[&str]); 5] = [
    ("Machine", "machine_id", &["machine_id", "machines"]),
    ("Name", "machine_name", &["machine_name", "machines"]),
    ("Site", "site", &["site", "machines"]),
    ("Issue", "issue", &["issue", "subject"]),
    ("Time", "time", &["time"]),
];

impl Template {
    /// Whether every name is known; to be asked before a template is saved.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), TemplateError> {
        let most = [
            (&self.subject, limits::SUBJECT_TEMPLATE_CHARS),
            (&self.body, limits::BODY_TEMPLATE_CHARS),
        ];
        for (text, most) in most {
            let text = text.as_deref().unwrap_or("");
            if text.chars().count() > most {
                return Err(TemplateError::TooLong(most));
            }
            pieces(text)?;
        }
        Ok(())
    }
}

/// The subject and, when the user wrote one, the body. A template that cannot be used is left
/// aside and said to be: an alert must not fail for a typing error.
pub(crate) fn compose(shown: &Shown) -> (String, Option<String>) {
    let ours = words::subject(shown);
    let Some(template) = &shown.template else {
        return (ours, None);
    };
    if let Err(error) = template.check() {
        let body = format!(
            "{}\n\n(Your template is not used: {error}.)",
            words::text(shown)
        );
        return (ours, Some(clean::block(&body, limits::BODY_CHARS)));
    }
    let subject = template.subject.as_deref().map_or(ours, |text| {
        let filled = fill(text, shown);
        clean::line(&filled, limits::SUBJECT_CHARS)
    });
    let body = template.body.as_deref().map(|text| body(text, shown));
    (subject, body)
}

fn body(text: &str, shown: &Shown) -> String {
    let filled = fill(text, shown);
    let is_cut = filled.chars().count() > limits::BODY_CHARS;
    // What was cut off may have been what must be said.
    let used = if is_cut { Vec::new() } else { names(text) };
    let mut body = clean::block(&filled, limits::BODY_CHARS);
    let mut is_first = true;
    for (label, name, carriers) in REQUIRED {
        let value = value(name, shown);
        if value.is_empty() || carriers.iter().any(|carrier| used.contains(carrier)) {
            continue;
        }
        body.push_str(if is_first { "\n\n" } else { "\n" });
        body.push_str(&format!("{label}: {value}"));
        is_first = false;
    }
    body
}

fn fill(text: &str, shown: &Shown) -> String {
    let filled = pieces(text).unwrap_or_default().into_iter();
    filled
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Name(name) => value(name, shown),
        })
        .collect()
}

fn names(text: &str) -> Vec<&str> {
    let pieces = pieces(text).unwrap_or_default().into_iter();
    pieces
        .filter_map(|piece| match piece {
            Piece::Name(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect()
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else {
            return Err(TemplateError::Unclosed(clean::line(after, 20)));
        };
        let name = name.trim();
        if !NAMES.contains(&name) {
            return Err(TemplateError::Unknown(clean::line(name, 40)));
        }
        pieces.extend([Piece::Text(before), Piece::Name(name)]);
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

fn value(name: &str, shown: &Shown) -> String {
    let of_machine = |say: &dyn Fn(&crate::MachineRef) -> String| {
        let named = shown.machines.iter().take(limits::MACHINES_NAMED).map(say);
        let named: Vec<String> = named.filter(|text| !text.is_empty()).collect();
        let more = shown.machines.len().saturating_sub(limits::MACHINES_NAMED);
        match more {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    };
    match name {
        "machine_id" => of_machine(&|machine| machine.id.clone()),
        "machine_name" => of_machine(&|machine| machine.name.clone()),
        "site" => of_machine(&|machine| machine.site.clone()),
        "location" => of_machine(&|machine| machine.location.clone()),
        "machines" => match shown.machines.as_slice() {
            [one] => words::label(one),
            many => words::machines_long(many),
        },
        "issue" => shown.issue.clone(),
        "severity" => shown.severity.as_str().into(),
        "time" => shown.time(),
        "facts" => shown.facts.clone(),
        "items" => words::items(shown).join("\n"),
        "link" => shown
            .link
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        "kind" => words::prefix(shown.kind).trim_end_matches(": ").into(),
        "alert_no" => shown
            .alert
            .as_ref()
            .map_or_else(String::new, |alert| alert.no.to_string()),
        "subject" => words::subject(shown),
        // `pieces` has refused every other name.
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use wire::Micros;

    fn composed(subject: Option<&str>, body: Option<&str>) -> (String, Option<String>) {
        let mut message = Message::test("1".into(), Micros(0), "UTC".into());
        message.issue = "Payment System Down".into();
        message.template = Some(Template {
            subject: subject.map(str::to_owned),
            body: body.map(str::to_owned),
        });
        compose(&Shown::of(&message))
    }

    #[test]
    fn what_a_template_leaves_out_is_added() {
        let (subject, body) = composed(Some("{{issue}}!"), Some("Go to {{ machine_id }}."));
        assert_eq!(subject, "Payment System Down!");
        assert_eq!(
            body.unwrap(),
            "Go to VM000.\n\nName: No real machine\nSite: Test site\nIssue: Payment System Down\n\
             Time: 1970-01-01 00:00:00 UTC"
        );
        let whole = "{{machines}} {{issue}} {{time}}";
        let (_, body) = composed(None, Some(whole));
        assert!(!body.unwrap().contains('\n'), "nothing is added twice");
    }

    #[test]
    fn a_name_that_is_not_known_is_said_and_the_alert_goes_out_in_our_words() {
        let template = Template {
            subject: None,
            body: Some("{{machine}}".into()),
        };
        let error = template.check().unwrap_err().to_string();
        assert!(
            error.starts_with("{{machine}} is not known; use one of machine_id,"),
            "{error}"
        );
        let (_, body) = composed(None, Some("{{machine}}"));
        let body = body.unwrap();
        assert!(
            body.contains("Machine: VM000") && body.contains("not used"),
            "{body}"
        );
        let open = Template {
            subject: Some("x {{issue".into()),
            body: None,
        };
        assert_eq!(open.check(), Err(TemplateError::Unclosed("issue".into())));
    }
}
