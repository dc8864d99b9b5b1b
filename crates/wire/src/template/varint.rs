//! Variable-length unsigned integers (LEB128): seven bits a byte, least first.

use super::TemplateError;

/// Appends `value`.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes one integer off the front of `bytes`.
pub(crate) fn take(bytes: &mut &[u8]) -> Result<u128, TemplateError> {
    let mut value = 0u128;
    let mut shift = 0;
    loop {
        let (&byte, rest) = bytes
            .split_first()
            .ok_or(TemplateError("the parameters end in a number"))?;
        *bytes = rest;
        let bits = u128::from(byte & 0x7f);
        if shift > 126 || (shift == 126 && bits > 3) {
            return Err(TemplateError("a number is too large"));
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Ok(value);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_come_back() {
        for value in [0, 1, 127, 128, 300, u128::from(u64::MAX), u128::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            let mut rest = bytes.as_slice();
            assert_eq!(take(&mut rest), Ok(value));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_cut_or_endless_number_is_an_error() {
        assert!(take(&mut &[0x80][..]).is_err());
        assert!(take(&mut &[0xff; 30][..]).is_err());
    }
}
