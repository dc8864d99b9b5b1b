//! The kinds of parameters and the names of their holes. A name, once stored, never changes.

/// What kind of thing a parameter is; decides its compact encoding and how a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A whole number, with its sign and leading zeros: `42`, `-7`, `007`.
    Int,
    /// A number with a decimal point or an exponent: `0.19`, `-1.5e-05`.
    Dec,
    /// Hexadecimal: `0x1F`, or a long bare run such as a hash.
    Hex,
    /// A token that mixes letters and digits, a UUID, a MAC or IP address, a dotted version.
    Id,
    /// What stands between quotation marks; the marks stay in the template.
    Str,
    /// An amount with its currency sign: `$12.30`.
    Money,
    /// A clock time, a date, or both: `12:30:05`, `2026-01-22T14:30:15.123Z`.
    Time,
    /// The whole message, or its later lines, kept as they are.
    Raw,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Int,
        Kind::Dec,
        Kind::Hex,
        Kind::Id,
        Kind::Str,
        Kind::Money,
        Kind::Time,
        Kind::Raw,
    ];

    /// The hole as it stands in a template: `<int>`.
    pub fn hole(self) -> &'static str {
        match self {
            Kind::Int => "<int>",
            Kind::Dec => "<dec>",
            Kind::Hex => "<hex>",
            Kind::Id => "<id>",
            Kind::Str => "<str>",
            Kind::Money => "<money>",
            Kind::Time => "<time>",
            Kind::Raw => "<raw>",
        }
    }
}
