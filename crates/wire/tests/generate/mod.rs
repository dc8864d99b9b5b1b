//! Card numbers that no bank gave out, in every brand and dress. Shared by the tests of the redactor
//! and those of the whole agent; it finds nothing itself.

/// A small reproducible generator: the tests print the same numbers everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    pub fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from(b'0' + self.below(10) as u8))
            .collect()
    }

    pub fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len() as u64) as usize]
    }
}

/// A valid number of `len` digits that starts with `prefix`.
pub fn card(dice: &mut Dice, prefix: &str, len: usize) -> String {
    let body = prefix.to_owned() + &dice.digits(len - 1 - prefix.len());
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let digit = u32::from(b - b'0') * if i % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// How numbers of each brand begin, and how long they are.
pub const BRANDS: &[(&str, &[usize])] = &[
    ("4", &[13, 16, 19]),
    ("51", &[16]),
    ("55", &[16]),
    ("2221", &[16]),
    ("2720", &[16]),
    ("34", &[15]),
    ("37", &[15]),
    ("6011", &[16, 19]),
    ("644", &[16]),
    ("65", &[16, 17, 18, 19]),
    ("36", &[14]),
    ("38", &[14]),
    ("300", &[14]),
    ("3095", &[14]),
    ("3528", &[16]),
    ("3589", &[16, 19]),
    ("62", &[16, 17, 18, 19]),
    ("81", &[16]),
    ("2200", &[16]),
    ("5018", &[13, 14, 15, 16, 17, 18, 19]),
    ("5893", &[13, 16, 19]),
    ("6304", &[13, 16, 19]),
    ("6759", &[13, 14, 15, 16, 17, 18, 19]),
    ("9792", &[16]),
];

fn grouped(number: &str, separator: &str) -> String {
    let sizes: &[usize] = match number.len() {
        15 => &[4, 6, 5],
        14 => &[4, 6, 4],
        _ => &[4, 4, 4, 4, 4],
    };
    let mut rest = number;
    let mut groups = Vec::new();
    for size in sizes {
        let (group, after) = rest.split_at((*size).min(rest.len()));
        groups.push(group);
        rest = after;
    }
    groups.retain(|group| !group.is_empty());
    groups.join(separator)
}

/// Number `i` as applications may write it: its digits, what stands before it, how it is shown, and
/// what stands after it.
pub fn dressed(dice: &mut Dice, i: usize) -> (String, &'static str, String, &'static str) {
    let (prefix, lengths) = BRANDS[i % BRANDS.len()];
    let len = lengths[dice.below(lengths.len() as u64) as usize];
    let number = card(dice, prefix, len);
    let shown = match i % 5 {
        0 | 1 => number.clone(),
        2 => grouped(&number, " "),
        3 => grouped(&number, "-"),
        _ => grouped(&number, dice.pick(&["\\u0020", "\\u002d", " ", "-"])),
    };
    let &(before, after) = dice.pick(&[
        &("card ", " read"),
        &("card=", ";"),
        &("{\"pan\":\"", "\"}"),
        &("{\\\"pan\\\":\\\"", "\\\"}"),
        &("b'2\\x1e2000\\x1e", "\\x1e'"),
        &("\"2\\u001e2000\\u001e", "\\u001e\""),
        &("PAN", "."),
        &("Visa", "\n"),
        &("(", ")"),
        &("amount 20.00 card ", " ok 12:30:05"),
        &("\\x10", "\\x10"),
        &("", ""),
    ]);
    (number, before, shown, after)
}
