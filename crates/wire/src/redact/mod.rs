//! Redaction: what must never reach a disk. Contract (being built): see below.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What stands where a card number was.
pub const CARD_MARK: &str = "[card]";

/// Removes card numbers, also partly masked ones. Text without any is borrowed back unchanged.
pub fn cards(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

/// The key under which this machine's ids are hashed; never leaves its state directory.
pub struct HashKey([u8; 32]);

impl HashKey {
    /// From 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> HashKey {
        HashKey(bytes)
    }

    /// The keyed hash that stands for `id`: `#` and 16 hex digits of its HMAC-SHA-256.
    pub fn hash(&self, id: &str) -> String {
        let _ = (&self.0, id);
        String::new()
    }
}

/// What the configuration's `[privacy]` section says.
pub struct Rules {
    /// Context fields (and `name=value` pairs in messages) whose value is hashed.
    pub hash_fields: Vec<String>,
    /// Context fields (and `name=value` pairs in messages) whose value is dropped.
    pub drop_fields: Vec<String>,
}

/// Redacts whole entries under one key and one set of rules.
pub struct Redactor {
    key: HashKey,
    rules: Rules,
}

impl Redactor {
    /// A redactor.
    pub fn new(key: HashKey, rules: Rules) -> Redactor {
        Redactor { key, rules }
    }

    /// The key, for packs that name further ids.
    pub fn key(&self) -> &HashKey {
        &self.key
    }

    /// Redacts a message: cards, and `field=value` / `field:value` / `"field": "value"` pairs.
    pub fn message<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let _ = &self.rules;
        cards(text)
    }

    /// Redacts a context in place, nested objects and arrays included.
    pub fn context(&self, context: &mut Map<String, Value>) {
        let _ = context;
    }
}
