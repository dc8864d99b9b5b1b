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
