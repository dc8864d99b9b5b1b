//! Patterns of names: `*` is any text, `?` one character, anything else itself. Case does not
//! matter, because servers change it.

/// Whether the whole of `name` matches.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().flat_map(char::to_lowercase).collect();
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star stood and how much it has swallowed: enough to go back to, so that the
    // time is at most the product of both lengths.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, swallowed)) => {
                    star = Some((at, swallowed + 1));
                    p = at + 1;
                    n = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether everything matches.
pub(crate) fn is_any(pattern: &str) -> bool {
    pattern.is_empty() || pattern.chars().all(|c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_a_shell() {
        for (pattern, name) in [
            ("*", ""),
            ("*.txt", "VM001.TXT"),
            ("vm???-*.txt", "VM001-7-12.txt"),
            ("*a*b*c*", "xxaxxbxxcxx"),
            ("Tür*", "TÜR 1"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.txt", "a.txt.part"),
            ("?", ""),
            ("a", "ab"),
            ("[a]", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        // A pattern made to be slow.
        assert!(!matches(
            &"*a".repeat(100),
            &format!("{}b", "a".repeat(2_000))
        ));
    }
}
