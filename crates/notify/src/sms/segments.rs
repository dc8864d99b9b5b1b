//! How many segments a text takes: the GSM 7 bit alphabet of 3GPP TS 23.038 as long as every
//! letter is in it, else UCS-2.

/// Septets of the GSM 7 bit default alphabet, without escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Letters of its extension table: two septets each.
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// Units that a text alone may have, and units of each segment when there are several, for a
/// header of six octets joins them.
const GSM: (usize, usize) = (160, 153);
const UCS2: (usize, usize) = (70, 67);

/// Segments of a text; an empty one is sent as one.
pub(super) fn count(text: &str) -> u32 {
    let gsm: Option<Vec<usize>> = text.chars().map(septets).collect();
    let (widths, (alone, joined)) = match gsm {
        Some(widths) => (widths, GSM),
        None => (text.chars().map(char::len_utf16).collect(), UCS2),
    };
    if widths.iter().sum::<usize>() <= alone {
        return 1;
    }
    // A letter of two units does not stand across two segments.
    let (mut segments, mut used) = (1, 0);
    for width in widths {
        if used + width > joined {
            segments += 1;
            used = 0;
        }
        used += width;
    }
    segments
}

fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENDED.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// Letters that have a plain one of the same meaning: a dash or quotation mark from a word
/// processor must not halve what fits.
pub(super) fn plainer(c: char) -> char {
    match c {
        '‘' | '’' | '‚' | '‛' | '`' | '´' | '′' => '\'',
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => '"',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        '\u{a0}' | '\u{2009}' | '\u{202f}' => ' ',
        '…' => '.',
        '•' | '·' => '*',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_as_the_network_does() {
        assert_eq!(
            BASIC.chars().count(),
            127,
            "128 places, one of which is the escape"
        );
        assert_eq!(count(""), 1);
        assert_eq!(count(&"a".repeat(160)), 1);
        assert_eq!(count(&"a".repeat(161)), 2);
        assert_eq!(count(&"a".repeat(306)), 2);
        assert_eq!(count(&"a".repeat(307)), 3);
        assert_eq!(count(&"€".repeat(80)), 1);
        assert_eq!(count(&"€".repeat(81)), 2);
        // 76 fit into 153, for the 77th would stand across.
        assert_eq!(count(&"€".repeat(153)), 3);
        assert_eq!(count(&"ж".repeat(70)), 1);
        assert_eq!(count(&"ж".repeat(71)), 2);
        assert_eq!(count(&"ж".repeat(134)), 2);
        assert_eq!(count(&"😀".repeat(35)), 1);
        assert_eq!(count(&"😀".repeat(67)), 3, "33 fit into 67");
    }
}
