//! The template split: a message is a template plus typed parameters, by fixed rules, losslessly.
//! No training and no state: the same message gives the same split on every machine, for ever.
//!
//! A template is readable text with holes: `Authorization timeout after <int>s`. A `<` of the
//! message is written `<<` in the template, so that a template can be read in one way only.

mod decode;
mod encode;
mod kinds;
mod pieces;
mod scan;
mod shape;
mod token;
pub(crate) mod varint;

use std::borrow::Cow;

use sha2::Digest;

pub use decode::{join, join_with_spans};
pub use encode::encode_params;
pub use kinds::Kind;
pub use pieces::{Piece, pieces};

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

/// The longest template, in bytes: a traceback of about twenty frames. What is longer is data.
pub const TEMPLATE_MAX_BYTES: usize = 2_048;

/// The most parameters of one message. A dump of more numbers than this would make a template of
/// its own for every length; it is kept raw instead.
pub const PARAMS_MAX: usize = 64;

/// A parameter blob or template that does not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parameters do not fit their template: {0}")]
pub struct TemplateError(pub &'static str);

/// Takes a message apart. The same message always gives the same split, on every machine.
///
/// A message beyond [`TEMPLATE_MAX_BYTES`] or [`PARAMS_MAX`] keeps the template of those of its
/// first lines that fit and the rest as one raw parameter; when not even its first line fits, it is
/// [`raw`].
pub fn split(message: &str) -> Split<'_> {
    scan::scan(message).unwrap_or_else(|| raw(message))
}

/// The split that keeps the message whole as one parameter of [`RAW_TEMPLATE`].
pub fn raw(message: &str) -> Split<'_> {
    Split {
        template: RAW_TEMPLATE.to_owned(),
        params: vec![Param {
            kind: Kind::Raw,
            text: Cow::Borrowed(message),
        }],
    }
}

/// The name of a template across days and machines: the first 8 bytes of the SHA-256 of its text.
pub fn hash(template: &str) -> i64 {
    let digest = sha2::Sha256::digest(template.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
