//! Redaction: what must never reach a disk. Card numbers go, ids become keyed hashes, personal
//! fields are dropped. Redacting twice gives the same as redacting once.
//!
//! Fields in messages are found by name, whatever its case, as a whole word. `transaction_id` is
//! also found as `transaction-id`, `transaction id` and `transactionid`. What counts as a pair:
//!
//! | written as | hashed field | dropped field |
//! |---|---|---|
//! | `name=value`, `name="value"` | yes | yes |
//! | `"name": value`, `'name': 'value'`, `name: "value"` | yes | yes |
//! | `name: value` | when the value has a digit | only when a sentence would not have it: the name is written with `_`, or the value has an `@` or seven digits |
//!
//! The last cell is a choice: `Product name: Cola` and `Customer: please wait` are prose, and a log
//! that loses its prose is not read.

mod brands;
mod cards;
mod fields;
mod key;
mod masked;
mod pan;
mod track;
mod units;
mod value;

use std::borrow::Cow;

use serde_json::{Map, Value};

pub use cards::cards;
pub use key::HashKey;

use fields::Fields;

/// What stands where a card number was.
pub const CARD_MARK: &str = "[card]";

/// What stands where the value of a dropped field was.
pub const DROPPED_MARK: &str = "[dropped]";

/// How often a message is gone over: a mark can uncover what its neighbours hid. Log text needs one
/// round and one to see that nothing is left; the rest is for hostile text.
const ROUNDS_MAX: usize = 8;

/// What the configuration's `[privacy]` section says.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Context fields (and `name=value` pairs in messages) whose value is hashed.
    pub hash_fields: Vec<String>,
    /// Context fields (and `name=value` pairs in messages) whose value is dropped.
    pub drop_fields: Vec<String>,
}

/// Redacts whole entries under one key and one set of rules.
#[derive(Debug)]
pub struct Redactor {
    key: HashKey,
    fields: Fields,
}

/// What happens to the value of a named field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Hash,
    Drop,
}

impl Redactor {
    /// A redactor. A field that is named in both lists is dropped.
    pub fn new(key: HashKey, rules: Rules) -> Redactor {
        Redactor {
            key,
            fields: Fields::new(&rules),
        }
    }

    /// The key, for packs that name further ids.
    pub fn key(&self) -> &HashKey {
        &self.key
    }

    /// Redacts a message: cards, and the pairs that the table above names. Text with nothing to
    /// redact is borrowed back unchanged.
    pub fn message<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(mut redacted) = self.once(text) else {
            return Cow::Borrowed(text);
        };
        for _ in 1..ROUNDS_MAX {
            let Some(again) = self.once(&redacted) else {
                break;
            };
            redacted = again;
        }
        Cow::Owned(redacted)
    }

    /// Cards, then pairs; `None` when there is nothing to redact.
    fn once(&self, text: &str) -> Option<String> {
        match cards(text) {
            Cow::Borrowed(text) => self.fields.redact(text, &self.key),
            Cow::Owned(text) => Some(self.fields.redact(&text, &self.key).unwrap_or(text)),
        }
    }

    /// Redacts a context in place, nested objects and arrays included: fields by their key, cards
    /// in every text, key and number, pairs in every text.
    pub fn context(&self, context: &mut Map<String, Value>) {
        if context
            .keys()
            .any(|key| matches!(cards(key), Cow::Owned(_)))
        {
            let whole = std::mem::take(context);
            context.extend(
                whole
                    .into_iter()
                    .map(|(key, value)| (cards(&key).into_owned(), value)),
            );
        }
        for (key, value) in context.iter_mut() {
            match self.fields.action(key) {
                Some(Action::Hash) => self.hash_value(value),
                Some(Action::Drop) if !value.is_null() => *value = DROPPED_MARK.into(),
                _ => self.value(value),
            }
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.message(text) {
                    *text = redacted;
                }
            }
            Value::Number(number) => {
                // 4111111111111111.0 is how some programs write a number that JSON gave them.
                let text = number.to_string();
                let whole = text.strip_suffix(".0").unwrap_or(&text);
                if matches!(cards(whole), Cow::Owned(_)) {
                    *value = CARD_MARK.into();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => self.context(map),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Hashes a text or number, and everything of that kind inside an array or object.
    fn hash_value(&self, value: &mut Value) {
        match value {
            Value::String(text) if is_redacted(text) || text.is_empty() => {}
            Value::String(text) => *text = self.key.hash(text),
            Value::Number(number) => *value = self.key.hash(&number.to_string()).into(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hash_value(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.hash_value(item)),
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// Whether a value is one of our marks or hashes, which are not redacted again.
fn is_redacted(value: &str) -> bool {
    value == CARD_MARK || value == DROPPED_MARK || key::is_hash(value)
}
