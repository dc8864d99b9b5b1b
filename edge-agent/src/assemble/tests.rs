//! What lines become which records.

use super::*;
use crate::input::Place;
use crate::input::lines::LineCutter;

const NOW: Micros = Micros(1_800_000_000_000_000);

fn place(offset: u64) -> At {
    At::File(Place {
        dev: 1,
        ino: 1,
        offset,
        head_len: 0,
        head: 0,
        tail: 0,
        mtime_ns: 0,
        born_ns: None,
    })
}

fn assembler(format: Format) -> Assembler {
    Assembler::new(format, Zone::utc(), AssemblyState::default())
}

fn feed(assembler: &mut Assembler, text: &[u8]) -> Vec<Record> {
    let mut cutter = LineCutter::default();
    cutter.push(text);
    let mut records = Vec::new();
    while let Some(line) = cutter.next_line() {
        let place = place(line.end);
        assembler.line(line, place, NOW, &mut records);
    }
    records
}

fn python(text: &str) -> Vec<Record> {
    let mut assembler = assembler(Format::Python(Python));
    let mut records = feed(&mut assembler, text.as_bytes());
    assembler.flush(NOW, &mut records);
    records
}

fn shown(records: &[Record]) -> Vec<String> {
    let short = |record: &Record| {
        let message = record.message.replace('\n', "/");
        format!("{} {} {message}", record.level, record.component)
    };
    records.iter().map(short).collect()
}

#[test]
fn both_forms_of_pythons_stamp_and_its_level_names_are_read() {
    let records = python(
        "2026-01-22 14:30:15 - __main__ - WARNING - a - b\n\
         2026-01-22 14:30:15,123 - ePort.src.display_server - CRITICAL - c\n\
         2026-01-22 14:30:16 - root - Level 25 - d\n\
         2026-01-22 14:30:16 - root - INFO - \n",
    );
    assert_eq!(
        shown(&records),
        [
            "WARN app a - b",
            "CRITICAL display_server c",
            "INFO root d",
            "INFO root "
        ]
    );
    assert_eq!(records[1].at.to_rfc3339(), "2026-01-22T14:30:15.123Z");
    assert_eq!(records[2].context["logged_level"], "Level 25");
}

#[test]
fn a_printed_line_takes_the_time_of_the_record_before_it() {
    let records = python("2026-01-22 14:30:15 - a - INFO - one\nprinted\n\n");
    assert_eq!(
        shown(&records),
        ["INFO a one", "INFO stdout printed", "INFO stdout "]
    );
    assert!(records.iter().all(|record| record.at == records[0].at));
}

#[test]
fn a_printed_line_at_the_start_of_a_file_takes_the_next_time_else_that_of_reading() {
    let records = python("printed\n2026-01-22 14:30:15 - a - INFO - one\n");
    assert_eq!(shown(&records), ["INFO stdout printed", "INFO a one"]);
    assert_eq!(records[0].at, records[1].at);
    assert_eq!(python("printed\n")[0].at, NOW);
}

#[test]
fn a_traceback_is_one_record_up_to_its_exception() {
    let records = python(
        "2026-01-22 14:30:15 - a - ERROR - Traceback (most recent call last):\n  File \"x\"\n    \
         motor()\nValueError: bad\nprinted\n2026-01-22 14:30:16 - a - INFO - two\n",
    );
    assert_eq!(
        shown(&records),
        [
            "ERROR a Traceback (most recent call last):/  File \"x\"/    motor()/ValueError: bad",
            "INFO stdout printed",
            "INFO a two",
        ]
    );
}

#[test]
fn logger_exception_and_chained_tracebacks_belong_together() {
    let records = python(
        "2026-01-22 14:30:15 - a - ERROR - boom\nTraceback (most recent call last):\n  one\n\
         KeyError: 1\n\nDuring handling of the above exception, another exception occurred:\n\n\
         Traceback (most recent call last):\n  two\nValueError: 2\n\nprinted\n",
    );
    assert_eq!(records.len(), 3, "{:?}", shown(&records));
    assert!(records[0].message.starts_with("boom\nTraceback"));
    assert!(
        records[0]
            .message
            .contains("KeyError: 1\n\nDuring handling")
    );
    assert!(
        records[0]
            .message
            .ends_with("occurred:\n\nTraceback (most recent call last):\n  two\nValueError: 2")
    );
    assert_eq!(
        shown(&records[1..]),
        ["INFO stdout ", "INFO stdout printed"]
    );
}

#[test]
fn a_traceback_that_nobody_logged_is_an_error_of_the_application() {
    let records = python(
        "2026-01-22 14:30:15 - a - INFO - fine\nTraceback (most recent call last):\n  one\nE: 1\n",
    );
    assert_eq!(
        shown(&records),
        [
            "INFO a fine",
            "ERROR app Traceback (most recent call last):/  one/E: 1"
        ]
    );
}

#[test]
fn a_traceback_given_out_early_goes_on_as_its_continuation_even_after_a_restart() {
    let mut first = assembler(Format::Python(Python));
    let text = b"2026-01-22 14:30:15 - a - ERROR - boom\nTraceback (most recent call last):\n";
    let mut records = feed(&mut first, text);
    assert!(records.is_empty() && first.quiet() == Some(TRACEBACK_QUIET) && first.waits_inside());
    first.flush(NOW, &mut records);
    assert_eq!(records.len(), 1);
    let mut second = Assembler::new(
        Format::Python(Python),
        Zone::utc(),
        records[0].state.clone(),
    );
    let mut rest = feed(&mut second, b"  one\nE: 1\nprinted\n");
    second.flush(NOW, &mut rest);
    assert_eq!(shown(&rest), ["ERROR a   one/E: 1", "INFO stdout printed"]);
    assert_eq!(rest[0].context["continues"], 2);
    assert_eq!((rest[0].kind, rest[0].at), (Kind::Continued, records[0].at));
}

#[test]
fn a_light_record_waits_for_nothing() {
    let mut assembler = assembler(Format::Python(Python));
    let records = feed(&mut assembler, b"2026-01-22 14:30:15 - a - INFO - one\n");
    assert_eq!((records.len(), assembler.quiet()), (1, None));
}

#[test]
fn a_line_of_two_megabytes_is_marked_pieces_of_one_stamp() {
    let text = format!(
        "2026-01-22 14:30:15 - a - ERROR - {}\nprinted\n",
        "word ".repeat(400_000)
    );
    let records = python(&text);
    let pieces = &records[..records.len() - 1];
    assert!(pieces.len() > 30);
    assert!(
        pieces
            .iter()
            .all(|piece| piece.level == Level::Error && piece.component == "a")
    );
    let joined: String = pieces.iter().map(|piece| piece.message.as_str()).collect();
    assert_eq!(joined, "word ".repeat(400_000));
    for (index, piece) in pieces.iter().enumerate() {
        assert_eq!(piece.context["piece"], index + 1);
        assert_eq!(piece.context["last_piece"], index + 1 == pieces.len());
    }
    assert_eq!(records.last().unwrap().component, STDOUT);
}

#[test]
fn a_traceback_longer_than_an_entry_is_continued() {
    let frame = format!("  {}\n", "f".repeat(1000));
    let text = format!(
        "2026-01-22 14:30:15 - a - ERROR - Traceback (most recent call last):\n{}E: 1\n",
        frame.repeat(200)
    );
    let records = python(&text);
    assert!(records.len() > 2 && records.iter().all(|r| r.message.len() <= TEXT_MAX_BYTES));
    assert!(records.iter().all(|record| record.level == Level::Error));
    let joined: Vec<&str> = records
        .iter()
        .map(|record| record.message.as_str())
        .collect();
    assert_eq!(joined.join("\n").matches("ffff ").count(), 0);
    assert_eq!(joined.join("\n").lines().count(), 202);
    assert_eq!(records.last().unwrap().context["continues"], records.len());
}

#[test]
fn a_new_file_forgets_the_time_of_the_one_before() {
    let mut assembler = assembler(Format::Python(Python));
    let mut records = feed(&mut assembler, b"2026-01-22 14:30:15 - a - INFO - old\n");
    assembler.file_starts(NOW, &mut records);
    records.extend(feed(
        &mut assembler,
        b"printed\n2026-01-22 14:31:00 - a - INFO - new\n",
    ));
    assert_eq!(records[1].at, records[2].at);
}

#[test]
fn a_new_file_in_the_hour_that_comes_twice_does_not_run_backwards() {
    let mut assembler = Assembler::new(
        Format::Python(Python),
        Zone::named("America/Los_Angeles").unwrap(),
        AssemblyState::default(),
    );
    let line = |time: &str| format!("2026-11-01 {time} - a - INFO - x\n");
    let mut records = feed(
        &mut assembler,
        (line("01:59:59") + &line("01:00:05")).as_bytes(),
    );
    assembler.file_starts(NOW, &mut records);
    records.extend(feed(
        &mut assembler,
        (String::from("printed\n") + &line("01:00:09")).as_bytes(),
    ));
    let times: Vec<String> = records
        .iter()
        .map(|record| record.at.to_rfc3339())
        .collect();
    assert_eq!(
        times[1..],
        [
            "2026-11-01T09:00:05.000Z",
            "2026-11-01T09:00:09.000Z",
            "2026-11-01T09:00:09.000Z"
        ]
    );
}

#[test]
fn json_lines_take_the_usual_names_and_keep_the_rest_as_context() {
    let mut assembler = assembler(Format::Json(Json));
    let records = feed(
        &mut assembler,
        br#"{"asctime":"2026-01-22 14:30:15,123","levelname":"WARNING","name":"a.b","msg":"m","retry":3}
{"ts":1769092215.5,"level":"info","message":"n","context":{"x":1}}
not json
"#,
    );
    let mut all = records;
    assembler.flush(NOW, &mut all);
    assert_eq!(
        shown(&all),
        ["WARN b m", "INFO app n", "INFO stdout not json"]
    );
    assert_eq!(all[0].context["retry"], 3);
    assert_eq!(all[1].context["x"], 1);
    assert_eq!(all[1].at.to_rfc3339(), "2026-01-22T14:30:15.500Z");
}

#[test]
fn a_pattern_of_the_configuration_names_its_groups() {
    let pattern = Pattern::new(
        r"^(?<time>\S+ \S+) \[(?<level>\w+)\] (?<name>\w+)/(?<thread>\d+): (?<message>.*)$",
        Some("%d.%m.%Y %H:%M:%S".to_owned()),
    )
    .unwrap();
    let mut assembler = assembler(Format::Pattern(pattern));
    let records = feed(&mut assembler, b"22.01.2026 14:30:15 [INFO] pay/7: hello\n");
    assert_eq!(shown(&records), ["INFO pay hello"]);
    assert_eq!(records[0].context["thread"], "7");
    assert_eq!(records[0].at.to_rfc3339(), "2026-01-22T14:30:15.000Z");
    assert!(matches!(
        Pattern::new("(?<message>.*)", None),
        Err(PatternError::Group("time"))
    ));
    assert!(matches!(
        Pattern::new("(", None),
        Err(PatternError::Regex(_))
    ));
}
