//! Card numbers, generated in every brand and dress, masked, and in clean lines: all of the first go,
//! next to none of the last.

mod generate;

use std::borrow::Cow;
use std::path::Path;

use generate::{BRANDS, Dice, card, dressed};
use wire::redact::cards;

#[test]
fn ten_thousand_cards_of_all_brands_are_found_in_every_dress() {
    let mut dice = Dice(1);
    let mut missed = Vec::new();
    const COUNT: usize = 10_000;
    for i in 0..COUNT {
        let (_, before, shown, after) = dressed(&mut dice, i);
        let text = format!("{before}{shown}{after}");
        let wanted = format!("{before}[card]{after}");
        let got = cards(&text);
        if got != wanted {
            missed.push(format!("{text} -> {got}"));
        }
    }
    println!("cards: {COUNT} written, {} found", COUNT - missed.len());
    assert!(
        missed.is_empty(),
        "{} missed: {:#?}",
        missed.len(),
        &missed[..missed.len().min(20)]
    );
}

#[test]
fn ten_thousand_masked_cards_are_found() {
    let mut dice = Dice(2);
    for i in 0..10_000 {
        let (prefix, lengths) = BRANDS[i % BRANDS.len()];
        let number = card(&mut dice, prefix, lengths[0]);
        let mask = dice.pick(&["*", "X", "x", "#", "•"]);
        let lead = [0, 4, 6][i % 3];
        let masks = mask.repeat(number.len() - 4 - lead);
        let text = format!("{}{masks}{}", &number[..lead], &number[number.len() - 4..]);
        assert_eq!(
            cards(&format!("status=b'2\\x1e{text}\\x1e'")),
            "status=b'2\\x1e[card]\\x1e'"
        );
        assert_eq!(cards(&format!("card {text}, ok")), "card [card], ok");
    }
    println!("masked cards: 10000 written, 10000 found");
}

fn clean_line(dice: &mut Dice, i: u64) -> String {
    let number = |dice: &mut Dice, len| dice.digits(len);
    let hex = |dice: &mut Dice, len: usize| -> String {
        (0..len)
            .map(|_| char::from_digit(dice.below(16) as u32, 16).unwrap_or('0'))
            .collect()
    };
    match i % 14 {
        0 => format!(
            "2026-01-22 14:30:{:02},{:03} poll ok",
            i / 14 % 60,
            i % 1000
        ),
        1 => format!(
            "epoch {} ms, {} us",
            1_769_061_495_123 + i,
            1_769_061_495_123_456 + i * 7_919
        ),
        2 => format!("Transaction ID: {}", number(dice, 10)),
        3 => format!("sha256 {}", hex(dice, 64)),
        4 => format!("commit {} by {}", hex(dice, 40), hex(dice, 16)),
        5 => format!(
            "serial VJ{} firmware 2.{}.{}",
            number(dice, 9),
            number(dice, 2),
            i % 9
        ),
        6 => {
            let (a, b, c) = (hex(dice, 8), hex(dice, 4), hex(dice, 3));
            format!("session {a}-{b}-4{c}-a{}-{}", hex(dice, 3), hex(dice, 12))
        }
        7 => format!(
            "ratio 0.{} of {}.{}",
            number(dice, 16),
            i % 90,
            number(dice, 15)
        ),
        8 => format!("thread 1402{} at 0x{}", number(dice, 11), hex(dice, 12)),
        9 => format!(
            "{} {} {} {} pulses",
            i % 90,
            number(dice, 3),
            number(dice, 2),
            i % 7
        ),
        10 => format!("sale #{} of ${}.{:02}", number(dice, 8), i % 50, i % 100),
        11 => format!("seen 202601{:02}143015 on port {}", i % 28, i % 65_536),
        12 => format!("*** {} retries *** at {}", i % 9, 1_769_061_495 + i),
        _ => format!(
            "[POLL] status=b'7\\x1e{}\\x1e' display=idle",
            number(dice, 4)
        ),
    }
}

#[test]
fn one_clean_line_in_ten_thousand_at_most_is_touched() {
    let mut dice = Dice(3);
    const COUNT: u64 = 1_000_000;
    let mut touched = Vec::new();
    for i in 0..COUNT {
        let line = clean_line(&mut dice, i);
        if let Cow::Owned(redacted) = cards(&line) {
            touched.push(format!("{line} -> {redacted}"));
        }
    }
    println!("clean lines: {COUNT} written, {} touched", touched.len());
    assert!(
        touched.len() as u64 <= COUNT / 10_000,
        "{:#?}",
        &touched[..touched.len().min(20)]
    );
}

#[test]
fn only_the_masked_cards_of_the_real_log_go() {
    for name in ["vending_app.log", "vending_app_ms.log"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures")
            .join(name);
        let text = std::fs::read_to_string(path).expect("the fixture is part of the repository");
        let mut gone = 0;
        for line in text.lines() {
            let has_card = line.contains("***");
            let redacted = cards(line);
            assert_eq!(matches!(redacted, Cow::Owned(_)), has_card, "{line}");
            assert!(!redacted.contains('*'), "{redacted}");
            gone += usize::from(has_card);
        }
        println!("{name}: {gone} masked cards, all gone");
    }
}

#[test]
fn each_way_to_write_a_card() {
    for (text, wanted) in [
        (
            r"b'2\x1e2000\x1e6396***********9701\x1e'",
            r"b'2\x1e2000\x1e[card]\x1e'",
        ),
        (
            r"b'2\x1e2000\x1e6396***********9701...'",
            r"b'2\x1e2000\x1e[card]...'",
        ),
        ("****1234", "[card]"),
        ("•••• 1234", "[card]"),
        ("**** **** **** 1234", "[card]"),
        ("XXXX-XXXX-XXXX-1234", "[card]"),
        ("4111 11** **** 1111", "[card]"),
        ("411111xxxxxx1111", "[card]"),
        ("4111-XXXX-XXXX-1234 ok", "[card] ok"),
        ("411111**********", "[card]"),
        ("cardXXXXXXXXXXXX1234", "card[card]"),
        ("***4111111111111111***", "***[card]***"),
        ("20 4111 1111 1111 1111 30", "20 [card] 30"),
        (";4111111111111111=25121011000012345678?", "[card]"),
        ("swipe ;4111111111111112=2512?x", "swipe [card]x"),
        (
            "%B4111111111111111^DOE/JOHN^25121011000012345678?",
            "[card]",
        ),
        (
            "%B4111111111111111^DOE/JOHN A ^2512101?;4111111111111111=2512101?",
            "[card][card]",
        ),
        ("4111111111111111=2512101", "[card]"),
        ("4111111111111111D25121011234F", "[card]"),
        ("4111111111111111^DOE/JOHN^2512101? x", "[card] x"),
        ("{'pan': 4111111111111111.0}", "{'pan': [card].0}"),
        ("4111\u{a0}1111\u{a0}1111\u{a0}1111", "[card]"),
        ("4111\u{202f}1111\u{202f}1111\u{202f}1111", "[card]"),
        ("4111\u{2011}1111\u{2011}1111\u{2011}1111", "[card]"),
        (r"4111\u00a01111\u00a01111\u00a01111", "[card]"),
        ("４１１１１１１１１１１１１１１１", "[card]"),
    ] {
        assert_eq!(cards(text), wanted, "{text}");
    }
}

#[test]
fn what_only_looks_like_a_card_stays() {
    for text in [
        "4111111111111112",
        "0.4111111111111111",
        "4111111111111111.05",
        "4.111111111111111",
        "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
        "550e8400-e29b-41d4-a716-446655440000",
        "IMEI 356938035643809",
        "pow(2, 10) == 2**10",
        "#### 2026",
        "*** 1234 ***",
        "password ********",
        "Total ****1234.56",
        "0x4111111111111111",
        "Transaction ID: 1573124782",
        "[card]",
        "max 1234 xx",
    ] {
        assert!(
            matches!(cards(text), Cow::Borrowed(_)),
            "{text} -> {}",
            cards(text)
        );
    }
}
