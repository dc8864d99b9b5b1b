//! Reading a template: its literal text and its holes, in order.

use super::{Kind, TemplateError};

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text that every message of this template has here. A literal `<` is a piece of its own.
    Text(&'t str),
    /// A parameter.
    Hole(Kind),
}

/// The pieces of a template, from left to right. Ends after the first error: a `<` that is neither
/// doubled nor the start of a hole.
pub fn pieces(template: &str) -> impl Iterator<Item = Result<Piece<'_>, TemplateError>> {
    Pieces { rest: template }
}

struct Pieces<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Result<Piece<'t>, TemplateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let at = self.rest.find('<').unwrap_or(self.rest.len());
        if at > 0 {
            let (text, rest) = self.rest.split_at(at);
            self.rest = rest;
            return Some(Ok(Piece::Text(text)));
        }
        if let Some(rest) = self.rest.strip_prefix("<<") {
            let less_than = &self.rest[..1];
            self.rest = rest;
            return Some(Ok(Piece::Text(less_than)));
        }
        for kind in Kind::ALL {
            if let Some(rest) = self.rest.strip_prefix(kind.hole()) {
                self.rest = rest;
                return Some(Ok(Piece::Hole(kind)));
            }
        }
        self.rest = "";
        Some(Err(TemplateError("the template has an unknown hole")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_less_than_is_text_and_a_hole_may_follow_it() {
        let read: Result<Vec<_>, _> = pieces("a<<<int><<str>").collect();
        let wanted = [
            Piece::Text("a"),
            Piece::Text("<"),
            Piece::Hole(Kind::Int),
            Piece::Text("<"),
        ];
        assert_eq!(read.unwrap()[..4], wanted);
    }

    #[test]
    fn an_unknown_hole_is_an_error_and_ends_the_walk() {
        let read: Vec<_> = pieces("a <thing> b").collect();
        assert_eq!(read.len(), 2);
        assert!(read[1].is_err());
    }
}
