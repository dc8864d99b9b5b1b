//! A followed file, stepped by hand.

use super::*;

fn lines(input: &mut FileInput) -> (Vec<String>, Vec<&'static str>) {
    let mut events = Vec::new();
    while input.step(Instant::now(), &mut events).unwrap() == Next::Now {}
    let (mut lines, mut gaps) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            InputEvent::Line(line, _) => lines.push(line.text),
            InputEvent::Gap(gap) => gaps.push(gap.why),
            _ => {}
        }
    }
    (lines, gaps)
}

#[test]
fn a_short_log_is_known_again_though_its_disk_has_another_number() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, "one\n").unwrap();
    let mut input = FileInput::new(&path, None, false);
    assert_eq!(lines(&mut input).0, ["one"]);
    let place = input.place.unwrap();
    fs::write(&path, "one\ntwo\n").unwrap();
    let moved = Place {
        dev: place.dev + 1,
        ..place
    };
    let mut input = FileInput::new(&path, Some(moved), false);
    assert_eq!(lines(&mut input), (vec!["two".to_owned()], vec![]));
    // Another content under the same inode number is another log.
    fs::write(&path, "zwei\ndrei\n").unwrap();
    let mut input = FileInput::new(&path, Some(moved), false);
    let zwei_drei = vec!["zwei".to_owned(), "drei".to_owned()];
    assert_eq!(lines(&mut input), (zwei_drei, vec!["truncated"]));
}

#[test]
fn a_hole_before_a_writer_that_does_not_append_is_left_out() {
    use std::os::unix::fs::FileExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    let file = fs::File::create(&path).unwrap();
    file.write_all_at(&b"before\n".repeat(30_000), 0).unwrap();
    let mut input = FileInput::new(&path, None, false);
    assert_eq!(lines(&mut input).0.len(), 30_000);
    for round in 1..=2 {
        file.set_len(0).unwrap();
        let text = format!("round {round}\n");
        file.write_all_at(text.as_bytes(), 210_000 * round).unwrap();
        let text = text.trim_end().to_owned();
        assert_eq!(lines(&mut input), (vec![text], vec![]));
    }
}

#[test]
fn a_file_that_was_given_the_number_of_a_deleted_one_is_another_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, "start\n").unwrap();
    let mut input = FileInput::new(&path, None, false);
    assert_eq!(lines(&mut input).0, ["start"]);
    let place = input.place.unwrap();
    // It begins like the one that was read, and has its number, but was made at another time.
    let Some(born) = place.born_ns else { return };
    fs::write(&path, "start\ntwo\n").unwrap();
    let earlier = Place {
        born_ns: Some(born - 1),
        ..place
    };
    let mut input = FileInput::new(&path, Some(earlier), false);
    let both = vec!["start".to_owned(), "two".to_owned()];
    assert_eq!(lines(&mut input), (both, vec!["deleted"]));
}

#[test]
fn an_application_that_empties_its_log_after_a_quiet_hour_leaves_no_gap_unless_nobody_looked() {
    for (looks, gap) in [(true, vec![]), (false, vec!["truncated"])] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        fs::write(&path, "one\n").unwrap();
        let mut input = FileInput::new(&path, None, false);
        let mut events = Vec::new();
        let mut now = Instant::now();
        while input.step(now, &mut events).unwrap() == Next::Now {}
        for _ in 0..360 {
            now += SAFETY_POLL;
            if looks {
                input.step(now, &mut events).unwrap();
            }
        }
        assert_eq!(events.len(), 2, "the start and a line: {events:?}");
        fs::write(&path, "2\n").unwrap();
        while input.step(now, &mut events).unwrap() == Next::Now {}
        let why = |event: &InputEvent| match event {
            InputEvent::Gap(gap) => Some(gap.why),
            _ => None,
        };
        assert_eq!(events.iter().filter_map(why).collect::<Vec<_>>(), gap);
    }
}

#[test]
fn what_is_written_to_a_file_while_its_successors_are_listed_is_read_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, "one\n").unwrap();
    let mut input = FileInput::new(&path, None, false);
    assert_eq!(lines(&mut input).0, ["one"]);
    // As if the agent stood still between looking at the file and at the directory.
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    io::Write::write_all(&mut file, b"two\n").unwrap();
    fs::rename(&path, dir.path().join("a.log.2")).unwrap();
    fs::write(dir.path().join("a.log.1"), "three\n").unwrap();
    fs::write(&path, "four\n").unwrap();
    let mut events = Vec::new();
    let next = input.at_end((Instant::now(), false), &mut events).unwrap();
    assert_eq!((next, events.len()), (Next::Now, 0));
    let rest = ["two", "three", "four"].map(str::to_owned).to_vec();
    let mut got = lines(&mut input);
    std::thread::sleep(2 * RENAMED_QUIET);
    let last = lines(&mut input);
    got.0.extend(last.0);
    assert_eq!((got.0, got.1, last.1), (rest, vec![], vec![]));
}

#[test]
fn a_compressed_file_that_is_half_written_is_waited_for() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, "one\n").unwrap();
    let mut input = FileInput::new(&path, None, false);
    assert_eq!(lines(&mut input).0, ["one"]);
    let text = (0..9_000)
        .map(|n| format!("line {n}\n"))
        .collect::<String>();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    let packed = dir.path().join("a.log.1.gz");
    fs::rename(&path, dir.path().join("a.log.2")).unwrap();
    fs::write(&packed, &whole[..whole.len() / 2]).unwrap();
    let mut got = lines(&mut input);
    let half = got.0.len();
    assert!(half < 9_000 && got.1.is_empty(), "{half} {:?}", got.1);
    fs::write(&packed, &whole).unwrap();
    let rest = lines(&mut input);
    got.0.extend(rest.0);
    assert!(rest.1.is_empty(), "{:?}", rest.1);
    assert_eq!(got.0.concat(), text.replace('\n', ""));
}
