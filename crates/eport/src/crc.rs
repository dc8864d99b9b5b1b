//! CRC-16/CCITT-FALSE: polynomial 0x1021, begun with 0xFFFF, not reflected, no final xor. Two public
//! programs agree on it.

const POLYNOMIAL: u16 = 0x1021;

const TABLE: [u16; 256] = table();

/// The CRC of these bytes; on the line its high byte comes first.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, &byte| {
        (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)]
    })
}

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ POLYNOMIAL
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_vectors_come_out() {
        assert_eq!(crc16(b"123456789"), 0x29B1);
        assert_eq!(crc16(b"21\x1e350"), 0xE558);
        assert_eq!(crc16(b""), 0xFFFF);
    }
}
