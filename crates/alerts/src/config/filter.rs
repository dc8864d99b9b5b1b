//! Which entries and which machines a rule is about.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Level, MachineId};

use crate::input::{EntryFacts, MachineNow};

/// A pattern whose program is larger than this is refused: each entry is held against it.
const PATTERN_MAX_BYTES: usize = 64 * 1024;

/// Which entries are meant: all that is set must be true of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// The lowest level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// One of these components.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// The message has this text in it; upper and lower case are the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The message matches this regular expression; upper and lower case are the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The sentence without its parameters is exactly this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// These fields of the context have these values, compared as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
}

/// Which machines are meant: any that is named, tagged or placed so; nothing set means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// By id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<MachineId>,
    /// By tag.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// By site.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<String>,
}

impl Scope {
    /// Whether the machine is meant. One that is not known (removed meanwhile) is meant only by name
    /// or when all are.
    pub fn has(&self, id: &MachineId, machine: Option<&MachineNow>) -> bool {
        if self.machines.is_empty() && self.tags.is_empty() && self.sites.is_empty() {
            return true;
        }
        self.machines.contains(id)
            || machine.is_some_and(|machine| {
                self.sites.contains(&machine.site)
                    || self.tags.iter().any(|tag| machine.tags.contains(tag))
            })
    }
}

/// A filter made ready to be held against every entry that comes.
#[derive(Debug, Clone)]
pub struct Matcher {
    lowest: u8,
    components: Vec<String>,
    text: Option<Regex>,
    pattern: Option<Regex>,
    template: Option<String>,
    context: Vec<(String, String)>,
}

impl Matcher {
    /// Makes a filter ready.
    ///
    /// # Errors
    /// Its pattern is no regular expression, or too large a one; the words say which and why.
    pub fn new(filter: &Filter) -> Result<Matcher, String> {
        let build = |pattern: &str| {
            RegexBuilder::new(pattern)
                .case_insensitive(true)
                .size_limit(PATTERN_MAX_BYTES)
                .build()
                .map_err(|error| format!("the pattern {pattern:?} cannot be used: {error}"))
        };
        let text = filter.text.as_deref().filter(|text| !text.is_empty());
        Ok(Matcher {
            lowest: filter.level.map_or(0, Level::as_u8),
            components: filter.components.clone(),
            text: text.map(|text| build(&regex::escape(text))).transpose()?,
            pattern: filter.pattern.as_deref().map(build).transpose()?,
            template: filter.template.clone(),
            context: filter.context.clone().into_iter().collect(),
        })
    }

    /// Whether the entry is meant. The cheap questions come first: most entries are not.
    pub fn matches(&self, entry: &EntryFacts<'_>) -> bool {
        entry.level.as_u8() >= self.lowest
            && (self.components.is_empty()
                || self.components.iter().any(|name| name == entry.component))
            && self
                .context
                .iter()
                .all(|(name, value)| entry.context.get(name).is_some_and(|v| is(v, value)))
            && self
                .template
                .as_deref()
                .is_none_or(|template| template == entry.template)
            && self
                .text
                .as_ref()
                .is_none_or(|text| text.is_match(entry.message))
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(entry.message))
    }
}

fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Number(number) => number.to_string() == wanted,
        Value::Bool(yes) => wanted == if *yes { "true" } else { "false" },
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};
    use wire::Micros;

    use super::*;

    fn holds(filter: Value, level: Level, component: &str, message: &str, context: Value) -> bool {
        let filter: Filter = serde_json::from_value(filter).unwrap();
        let Value::Object(context) = context else {
            panic!("a context is an object")
        };
        let machine = "VM001".parse().unwrap();
        let entry = EntryFacts {
            machine: &machine,
            id: &String::new,
            level,
            component,
            message,
            template: message,
            context: &context,
            event: Micros(0),
            arrival: Micros(0),
            by_cell: false,
        };
        Matcher::new(&filter).unwrap().matches(&entry)
    }

    #[test]
    fn all_that_is_set_must_be_true() {
        let filter = json!({"level": "ERROR", "components": ["payment", "reader"]});
        let error = |component| holds(filter.clone(), Level::Error, component, "x", json!({}));
        assert!(error("payment") && error("reader") && !error("motor"));
        assert!(!holds(filter, Level::Warn, "payment", "x", json!({})));
        assert!(holds(json!({}), Level::Debug, "any", "x", json!({})));
    }

    #[test]
    fn text_and_pattern_do_not_care_for_case_and_text_is_no_pattern() {
        let text = json!({"text": "Jam (pump"});
        let says = |filter: &Value, m: &str| holds(filter.clone(), Level::Info, "a", m, json!({}));
        assert!(says(&text, "a JAM (PUMP 2)") && !says(&text, "jam pump"));
        let pattern = json!({"pattern": r"jam|block(ed|age)"});
        assert!(says(&pattern, "Blockage") && !says(&pattern, "flow"));
    }

    #[test]
    fn context_is_compared_as_text() {
        let filter = json!({"context": {"event": "inventory", "left": "3"}});
        let has = |context| holds(filter.clone(), Level::Info, "a", "x", context);
        assert!(has(json!({"event": "inventory", "left": 3, "more": true})));
        assert!(!has(json!({"event": "inventory"})) && !has(json!({"event": ["inventory"]})));
    }

    #[test]
    fn a_pattern_that_is_none_or_too_large_is_refused_with_its_words() {
        for pattern in ["(", "(a{1000}){1000}"] {
            let filter = Filter {
                pattern: Some(pattern.into()),
                ..Filter::default()
            };
            let words = Matcher::new(&filter).unwrap_err();
            assert!(words.contains("cannot be used"), "{words}");
        }
    }

    #[test]
    fn a_scope_means_any_machine_that_is_named_tagged_or_placed_so() {
        let (one, two): (MachineId, MachineId) =
            ("VM001".parse().unwrap(), "VM002".parse().unwrap());
        let mut now = MachineNow::new(two.clone());
        now.tags = vec!["mall".into()];
        now.site = "North".into();
        let by = |json: Value| serde_json::from_value::<Scope>(json).unwrap();
        assert!(by(json!({})).has(&one, None));
        assert!(by(json!({"machines": ["VM001"], "tags": ["mall"]})).has(&one, None));
        assert!(by(json!({"machines": ["VM001"], "tags": ["mall"]})).has(&two, Some(&now)));
        assert!(by(json!({"sites": ["North"]})).has(&two, Some(&now)));
        assert!(!by(json!({"sites": ["South"]})).has(&two, Some(&now)));
        let _: Map<String, Value> = Map::new();
    }
}
