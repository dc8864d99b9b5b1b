//! Fields as values: numbers, text, and what must never be printed.

use std::fmt;

use crate::frame::Frame;

/// A field whose content may be card data or names a transaction: it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Keeps these bytes from being printed.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(bytes.into())
    }

    /// The bytes, for the line.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A frame does not have the fields that its code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame with code {code} has unexpected fields")]
pub struct Malformed {
    /// The frame's code; that much is known of it.
    pub code: u8,
}

/// Reads the fields of a frame in order.
pub(crate) struct Reading<'a> {
    code: u8,
    fields: &'a [Vec<u8>],
}

impl<'a> Reading<'a> {
    pub(crate) fn of(frame: &'a Frame) -> Reading<'a> {
        Reading {
            code: frame.code,
            fields: &frame.fields,
        }
    }

    pub(crate) fn malformed(&self) -> Malformed {
        Malformed { code: self.code }
    }

    pub(crate) fn raw(&mut self) -> Result<&'a [u8], Malformed> {
        let (first, rest) = self.fields.split_first().ok_or(self.malformed())?;
        self.fields = rest;
        Ok(first)
    }

    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        let raw = self.raw()?;
        String::from_utf8(raw.to_vec()).map_err(|_| self.malformed())
    }

    /// A number in plain decimal digits, as it would be written again.
    pub(crate) fn number(&mut self) -> Result<u32, Malformed> {
        let text = self.text()?;
        let number: u32 = text.parse().map_err(|_| self.malformed())?;
        let is_plain = number.to_string() == text;
        is_plain.then_some(number).ok_or(self.malformed())
    }

    pub(crate) fn secret(&mut self) -> Result<Secret, Malformed> {
        Ok(Secret::new(self.raw()?))
    }

    /// What is left, however much: fields whose meaning is not known.
    pub(crate) fn rest(&mut self) -> Vec<Secret> {
        let rest = self.fields.iter().map(|field| Secret::new(&field[..]));
        self.fields = &[];
        rest.collect()
    }

    /// Fails when something is left.
    pub(crate) fn end<T>(self, value: T) -> Result<T, Malformed> {
        match self.fields {
            [] => Ok(value),
            _ => Err(self.malformed()),
        }
    }
}

/// The bytes of fields whose meaning is not known.
pub(crate) fn exposed(fields: &[Secret]) -> impl Iterator<Item = Vec<u8>> {
    fields.iter().map(|field| field.expose().to_vec())
}
