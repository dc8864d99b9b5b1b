//! The template split: a message is a template plus typed parameters, by fixed rules, losslessly.
//! Contract (being built): see the functions below.

use std::borrow::Cow;

/// What kind of thing a parameter is; decides its compact encoding and how a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The whole message or a piece of text kept as it is.
    Raw,
}

/// One parameter: its kind and its exact text in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text, byte for byte.
    pub text: Cow<'a, str>,
}

/// A message taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split<'a> {
    /// The sentence with its holes, such as `Authorization timeout after <int>s`.
    pub template: String,
    /// What was in the holes, in order.
    pub params: Vec<Param<'a>>,
}

/// The template that is one hole: a message kept whole.
pub const RAW_TEMPLATE: &str = "<raw>";

/// Takes a message apart. The same message always gives the same split, on every machine.
pub fn split(message: &str) -> Split<'_> {
    raw(message)
}

/// The split that keeps the message whole as one parameter of [`RAW_TEMPLATE`].
pub fn raw(message: &str) -> Split<'_> {
    Split {
        template: RAW_TEMPLATE.to_owned(),
        params: vec![Param { kind: Kind::Raw, text: Cow::Borrowed(message) }],
    }
}

/// A parameter blob or template that does not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parameters do not fit their template: {0}")]
pub struct TemplateError(pub &'static str);

/// The parameters as one compact blob.
pub fn encode_params(params: &[Param<'_>]) -> Vec<u8> {
    params.iter().flat_map(|param| param.text.bytes()).collect()
}

/// The exact message of a template and its blob.
///
/// # Errors
/// The blob is damaged or belongs to another template.
pub fn join(template: &str, blob: &[u8]) -> Result<String, TemplateError> {
    debug_assert_eq!(template, RAW_TEMPLATE);
    String::from_utf8(blob.to_vec()).map_err(|_| TemplateError("not UTF-8"))
}

/// The name of a template across days and machines: the first 8 bytes of the SHA-256 of its text.
pub fn hash(template: &str) -> i64 {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(template.as_bytes());
    i64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"))
}
