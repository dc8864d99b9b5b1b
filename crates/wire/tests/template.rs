//! The template split over arbitrary text, log-like text, damaged blobs and the real application's
//! lines: every message comes back exactly.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use wire::template::{
    Kind, PARAMS_MAX, RAW_TEMPLATE, TEMPLATE_MAX_BYTES, encode_params, hash, join, join_with_spans,
    raw, split,
};

/// The template and the parameters' texts of a message, after checking that it comes back.
fn taken_apart(message: &str) -> (String, Vec<String>) {
    let split = split(message);
    let blob = encode_params(&split.params);
    let (again, spans) = join_with_spans(&split.template, &blob).expect("a split joins again");
    assert_eq!(again, message, "template {:?}", split.template);
    assert_eq!(spans.len(), split.params.len());
    for ((start, end), param) in spans.iter().zip(&split.params) {
        assert_eq!(
            &message[*start..*end],
            param.text,
            "a span covers its parameter"
        );
    }
    let longest = TEMPLATE_MAX_BYTES + RAW_TEMPLATE.len();
    assert!(
        split.template.len() <= longest,
        "{} bytes",
        split.template.len()
    );
    assert!(split.params.len() <= PARAMS_MAX);
    (
        split.template,
        split
            .params
            .into_iter()
            .map(|param| param.text.into_owned())
            .collect(),
    )
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name);
    std::fs::read_to_string(path).expect("the fixture is part of the repository")
}

#[test]
fn templates_read_like_the_sentence() {
    for (message, template, params) in [
        (
            "Authorization timeout after 30s",
            "Authorization timeout after <int>s",
            vec!["30"],
        ),
        (
            "[POLL] status=b'7' display=idle",
            "[POLL] status=b'<str>' display=idle",
            vec!["7"],
        ),
        (
            "[STATUS-?] Unknown status: b'' (hex=N/A)",
            "[STATUS-?] Unknown status: b'<str>' (hex=N/A)",
            vec![""],
        ),
        (
            "[STATUS-7] ePort enabled",
            "[STATUS-7] ePort enabled",
            vec![],
        ),
        (
            "[DISPLAY] update_counter: 0.19 oz",
            "[DISPLAY] update_counter: <dec> oz",
            vec!["0.19"],
        ),
        (
            "Transaction complete: 2 items, $0.76 (tax: $0.06)",
            "Transaction complete: <int> items, <money> (tax: <money>)",
            vec!["2", "$0.76", "$0.06"],
        ),
        (
            "Transaction ID: #0123456789012345",
            "Transaction ID: #<hex>",
            vec!["0123456789012345"],
        ),
        (
            "Error controlling motor (error 3/5): GPIO busy",
            "Error controlling motor (error <int>/<int>): GPIO busy",
            vec!["3", "5"],
        ),
        (
            "File \"/home/pi/a.py\", line 71, in main",
            "File \"<str>\", line <int>, in main",
            vec!["/home/pi/a.py", "71"],
        ),
        (
            "temp -5.5 C at 12:30:05, ok",
            "temp <dec> C at <time>, ok",
            vec!["-5.5", "12:30:05"],
        ),
        (
            "can't open 'x y', won't",
            "can't open '<str>', won't",
            vec!["x y"],
        ),
        (
            "VM001 on /dev/ttyUSB0",
            "VM<int> on /dev/ttyUSB<int>",
            vec!["001", "0"],
        ),
        (
            "at 0x7fFF of 9f86d081884c7d65",
            "at <hex> of <hex>",
            vec!["0x7fFF", "9f86d081884c7d65"],
        ),
        (
            "id 550e8400-e29b-41d4-a716-446655440000 end",
            "id <id> end",
            vec!["550e8400-e29b-41d4-a716-446655440000"],
        ),
        (
            "{\"code\": 5, \"text\": \"no\"}",
            "{\"code\": <int>, \"text\": \"<str>\"}",
            vec!["5", "no"],
        ),
        (
            "from 192.168.1.5, v1.4.2",
            "from <id>, v<int>.<dec>",
            vec!["192.168.1.5", "1", "4.2"],
        ),
        (
            "5 < 6 <int> <<",
            "<int> << <int> <<int> <<<<",
            vec!["5", "6"],
        ),
        (
            "[Errno 5] Input/output error",
            "[Errno <int>] Input/output error",
            vec!["5"],
        ),
        (
            "took 1.5e-05 or 1e-05",
            "took <dec> or <dec>",
            vec!["1.5e-05", "1e-05"],
        ),
        ("a\\x1e5\\n6", "a\\x1e<int>\\n<int>", vec!["5", "6"]),
    ] {
        let (got, texts) = taken_apart(message);
        assert_eq!(got, template, "of {message}");
        assert_eq!(texts, params, "of {message}");
    }
}

#[test]
fn the_real_applications_messages_are_a_few_dozen_templates() {
    for name in ["vending_app.log", "vending_app_ms.log"] {
        let text = fixture(name);
        let mut templates: BTreeMap<String, usize> = BTreeMap::new();
        let (mut before, mut after) = (0, 0);
        for line in text.lines() {
            let message = line.splitn(4, " - ").nth(3).unwrap_or(line);
            let (template, _) = taken_apart(message);
            before += message.len();
            after += encode_params(&split(message).params).len();
            *templates.entry(template).or_default() += 1;
            taken_apart(line);
        }
        println!(
            "{name}: {} templates, {before} bytes -> {after}",
            templates.len()
        );
        for (template, count) in &templates {
            println!("{count:6} {template}");
        }
        assert!(
            templates.len() <= 48,
            "{} templates of {name}",
            templates.len()
        );
        assert!(!templates.contains_key(RAW_TEMPLATE));
        taken_apart(&text);
    }
}

#[test]
fn a_traceback_keeps_its_first_frames_readable_and_the_rest_whole() {
    let mut message = String::from("Traceback (most recent call last):\n");
    for line in 0..1_000 {
        message += &format!("  File \"/home/pi/soap/main.py\", line {line}, in step\n    go()\n");
    }
    message += "RecursionError: maximum recursion depth exceeded";
    let (template, params) = taken_apart(&message);
    assert!(
        template.starts_with("Traceback (most recent call last):\n  File \"<str>\", line <int>")
    );
    assert!(template.ends_with("\n<raw>"), "{template}");
    assert!(params.last().unwrap().ends_with("depth exceeded"));
}

#[test]
fn messages_beyond_the_bounds_are_kept_raw() {
    let numbers: String = (0..200).map(|n| format!("{n} ")).collect();
    assert_eq!(taken_apart(&numbers).0, RAW_TEMPLATE);
    assert_eq!(taken_apart(&"word ".repeat(1_000)).0, RAW_TEMPLATE);
    assert_eq!(taken_apart(&"<".repeat(TEMPLATE_MAX_BYTES)).0, RAW_TEMPLATE);
    assert_eq!(raw("a 5").template, RAW_TEMPLATE);
}

#[test]
fn the_largest_messages_are_taken_apart_in_linear_time() {
    let started = std::time::Instant::now();
    for unit in [
        "\"", "\" ", "'a ", " \"a", "[A", "\\", "1:", "1.", "0x", "-", "$", "a1", "b'", "é",
    ] {
        taken_apart(&unit.repeat(65_536 / unit.len()));
    }
    let took = started.elapsed();
    assert!(took.as_secs() < 10, "14 messages of 64 KiB took {took:?}");
}

#[test]
fn numbers_are_packed() {
    for (message, most) in [
        ("b'7' x", 1),
        ("Transaction 1573124782", 5),
        ("0.19 oz", 2),
        ("at $20.00", 2),
        ("VM007", 2),
        ("x 550e8400-e29b-41d4-a716-446655440000", 17),
        ("h 9f86d081884c7d65", 10),
        ("on 2026-01-22", 5),
    ] {
        let size = encode_params(&split(message).params).len();
        assert!(size <= most, "{message}: {size} bytes, wanted {most}");
    }
}

#[test]
fn the_hash_of_a_template_never_changes() {
    assert_eq!(hash("<raw>"), hash(RAW_TEMPLATE));
    assert_eq!(
        hash("Authorization timeout after <int>s"),
        HASH_OF_THE_EXAMPLE
    );
}

/// Stored in every day file: a change of it would tear templates apart across days.
const HASH_OF_THE_EXAMPLE: i64 = 1_366_122_477_994_400_351;

#[test]
fn a_blob_of_another_template_is_an_error() {
    let blob = encode_params(&split("5 of 6").params);
    assert!(join("<int>", &blob).is_err(), "one left over");
    assert!(join("<int> <int> <int>", &blob).is_err(), "one missing");
    assert!(join("<nothing>", &[]).is_err());
    assert!(
        join("<str>", &[3 + 4 * 2, 0xff, 0xfe]).is_err(),
        "not UTF-8"
    );
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        "[+-]?0{0,3}[0-9]{1,40}",
        "-?[0-9]{1,20}\\.[0-9]{1,12}(e[+-][0-9]{1,3})?",
        "0[xX][0-9a-fA-F]{1,20}",
        "[0-9a-f]{1,40}",
        "#[0-9a-f]{16}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}",
        "[$€£]-?[0-9]{0,3}(,[0-9]{3}){0,2}(\\.[0-9]{1,3})?",
        "[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,7})?)?Z?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{3})?(Z|[+-][0-9]{2}:00)?",
        "b?['\"][ -~]{0,12}['\"]",
        "\\[[A-Z]{1,8}(-[0-9?])?\\]",
        "\\\\x[0-9a-f]{2}",
        "[A-Za-z_]{1,10}",
        "[A-Za-z0-9]{1,12}",
        "[ =:;,./()<>{}\\n\\\\|-]{1,3}",
        "\\PC{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back(message in any::<String>()) {
        taken_apart(&message);
    }

    #[test]
    fn any_log_like_line_comes_back(parts in prop::collection::vec(fragment(), 0..24)) {
        taken_apart(&parts.concat());
        taken_apart(&parts.join(" "));
    }

    #[test]
    fn any_split_is_the_same_twice(parts in prop::collection::vec(fragment(), 0..12)) {
        let message = parts.join(" ");
        let again = message.clone();
        prop_assert_eq!(split(&message), split(&again));
    }

    #[test]
    fn any_parameter_of_any_kind_comes_back(text in "[-+0-9a-fx.:$€ ]{0,40}", kind in 0..8usize) {
        let kind = Kind::ALL[kind];
        let params = [wire::template::Param { kind, text: text.as_str().into() }];
        prop_assert_eq!(join(kind.hole(), &encode_params(&params)), Ok(text.clone()));
    }

    #[test]
    fn a_damaged_blob_never_panics(
        parts in prop::collection::vec(fragment(), 0..8),
        noise in prop::collection::vec(any::<u8>(), 0..64),
        at in any::<prop::sample::Index>(),
    ) {
        let message = parts.join(" ");
        let split = split(&message);
        let blob = encode_params(&split.params);
        let cut = at.index(blob.len() + 1);
        let _ = join(&split.template, &blob[..cut]);
        let mut flipped = blob.clone();
        if let Some(byte) = flipped.get_mut(cut) {
            *byte ^= noise.first().copied().unwrap_or(0x80);
        }
        let _ = join(&split.template, &flipped);
        let _ = join(&split.template, &noise);
        let _ = join(&message, &noise);
    }
}
