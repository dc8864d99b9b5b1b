//! Reliability 21 over the whole chain: ten thousand card numbers in every dress, in pieces that end
//! anywhere, through the agent's inputs; not one of them on any disk after that.

#[path = "../../../crates/wire/tests/generate/mod.rs"]
mod generate;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use generate::{Dice, dressed};
use serde_json::{Value, json};
use sim::rng::Rng;
use tests::wait::{self, seconds};
use tests::{AgentSetup, Link, Proxy, Server};

const CARDS: usize = 10_000;
const PATIENCE: Duration = seconds(60);
/// Digits in a row of one of our numbers that count as found: a part of a number is a leak too,
/// but the first six and the last four may be known.
const TELLING_DIGITS: usize = 12;
/// A piece of a log has at most so many bytes, so that most lines come in several.
const PIECE_BYTES: i64 = 90;
/// Pieces between two rests in which the agent reads.
const PIECES: usize = 12;

#[test]
fn ten_thousand_card_numbers_are_on_no_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let (python, json, socket) = (
        dir.path().join("app.log"),
        dir.path().join("app.json"),
        dir.path().join("agent.sock"),
    );
    let mut server = Server::start(&dir.path().join("server"));
    let link = Proxy::start(&server.url);
    link.set(Link::Cut);
    let more = format!(
        "[[input]]\nkind = \"file\"\npath = {json:?}\nformat = \"json\"\n\n\
         [[input]]\nkind = \"socket\"\npath = {socket:?}\n"
    );
    let setup = AgentSetup {
        url: link.url(),
        more,
        ..AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &python)
    };
    let mut agent = setup.start();
    let cards = Cards::make();
    std::thread::scope(|scope| {
        scope.spawn(|| append(&python, &cards.python, 1));
        scope.spawn(|| append(&json, &cards.json, 2));
        scope.spawn(|| send(&socket, &cards.socket));
    });
    wait::until("every entry in the spool", PATIENCE, || {
        let last = setup.run("status").json()["last_seq"].as_u64()?;
        (last >= CARDS as u64).then_some(())
    });

    let mut places = Places::new(&cards.windows);
    // The search itself finds what is there: the application's own files are full of them.
    let written =
        places.numbers_in(&cards.python.concat()) + places.numbers_in(&cards.json.concat());
    assert!(
        written >= CARDS / 2,
        "only {written} numbers would be found"
    );
    // While everything is spooled, and once more when the last kill left what it left.
    places.search_folder(&setup.folder);
    agent.kill_and_restart();
    link.set(Link::Open);
    let api = server.api();
    api.wait_for_entries(CARDS as u64, PATIENCE);
    agent.stop();
    places.search_folder(&setup.folder);
    places.search_folder(&dir.path().join("server"));
    let (mut entries, mut marks) = (0, 0);
    server.dump(|entry| {
        entries += usize::from(entry["component"] != "agent");
        let text = entry.to_string();
        marks += usize::from(text.contains("[card]"));
        places.search("the server's entries", text.as_bytes());
    });
    println!(
        "cards: {CARDS} written to files and a socket, {entries} entries, {marks} of them marked; \
         {} files of {} bytes and every stored entry searched: {} numbers found",
        places.files,
        places.bytes,
        places.found.len()
    );
    assert_eq!(
        places.found,
        Vec::<String>::new(),
        "no card number on any disk"
    );
    assert_eq!(
        (entries, marks),
        (CARDS, CARDS),
        "each entry is kept, without its number"
    );
    server.stop();
}

/// The lines of each input, and the digits to look for.
struct Cards {
    python: Vec<Vec<u8>>,
    json: Vec<Vec<u8>>,
    socket: Vec<Vec<u8>>,
    windows: HashSet<u64>,
}

impl Cards {
    fn make() -> Cards {
        let mut cards = Cards {
            python: Vec::new(),
            json: Vec::new(),
            socket: Vec::new(),
            windows: HashSet::new(),
        };
        let mut dice = Dice(21);
        let stamp = jiff::Timestamp::now();
        let local = stamp.strftime("%Y-%m-%d %H:%M:%S");
        for i in 0..CARDS {
            let (number, before, shown, after) = dressed(&mut dice, i);
            for window in number.as_bytes().windows(TELLING_DIGITS) {
                cards.windows.insert(value(window));
            }
            let text = format!("{before}{shown}{}", after.replace('\n', " "));
            let mut entry = json!({
                "timestamp": stamp.to_string(), "level": "INFO", "component": "reader",
                "message": text,
            });
            if dice.below(2) == 0 {
                entry["message"] = Value::from("the reader said");
                entry["context"] = json!({ "answer": { "raw": [text] } });
            }
            match dice.below(4) {
                0 => cards.json.push(line(entry.to_string())),
                1 => cards.socket.push(line(entry.to_string())),
                _ => cards
                    .python
                    .push(line(format!("{local} - reader - INFO - {text}"))),
            }
        }
        cards
    }
}

fn line(text: String) -> Vec<u8> {
    (text + "\n").into_bytes()
}

fn value(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// Cut anywhere, also within a number.
fn in_pieces(lines: &[Vec<u8>], seed: u64, mut write: impl FnMut(&[u8])) {
    let mut rng = Rng::new(seed);
    let bytes = lines.concat();
    let mut rest = &bytes[..];
    for piece in 1.. {
        let most = rng.between(1, PIECE_BYTES).unsigned_abs() as usize;
        let (now, later) = rest.split_at(most.min(rest.len()));
        write(now);
        rest = later;
        if rest.is_empty() {
            return;
        }
        if piece % PIECES == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn append(path: &Path, lines: &[Vec<u8>], seed: u64) {
    let mut file = File::create(path).expect("the log");
    in_pieces(lines, seed, |piece| {
        file.write_all(piece).expect("the log grows")
    });
}

/// Every line is acknowledged.
fn send(socket: &Path, lines: &[Vec<u8>]) {
    let mut stream = wait::until("the agent's socket", PATIENCE, || {
        UnixStream::connect(socket).ok()
    });
    let answers = BufReader::new(stream.try_clone().expect("a descriptor"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for answer in answers.lines().take(lines.len()) {
                let answer: Value =
                    serde_json::from_str(&answer.expect("an answer")).expect("JSON");
                assert_eq!(answer["ok"], true, "{answer}");
            }
        });
        in_pieces(lines, 3, |piece| {
            stream.write_all(piece).expect("the agent reads")
        });
    });
}

/// Where numbers were looked for, and found.
struct Places<'a> {
    windows: &'a HashSet<u64>,
    files: usize,
    bytes: usize,
    found: Vec<String>,
}

impl<'a> Places<'a> {
    fn new(windows: &'a HashSet<u64>) -> Places<'a> {
        Places {
            windows,
            files: 0,
            bytes: 0,
            found: Vec::new(),
        }
    }

    /// Every file in a folder and below.
    fn search_folder(&mut self, folder: &Path) {
        for item in std::fs::read_dir(folder).expect("the folder is there") {
            let path: PathBuf = item.expect("a file").path();
            if path.is_dir() {
                self.search_folder(&path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                self.files += 1;
                self.search(&path.display().to_string(), &bytes);
            }
        }
    }

    fn search(&mut self, place: &str, bytes: &[u8]) {
        self.bytes += bytes.len();
        let count = self.numbers_in(bytes);
        if count > 0 {
            self.found.push(format!("{count} in {place}"));
        }
    }

    /// Runs of digits that hold one of our windows, whatever separates them.
    fn numbers_in(&self, bytes: &[u8]) -> usize {
        let (mut run, mut length, mut is_counted, mut count) = (0_u64, 0, false, 0);
        let mut rest = bytes;
        while let [first, after @ ..] = rest {
            rest = after;
            match first {
                b'0'..=b'9' => {
                    run =
                        run % 10_u64.pow(TELLING_DIGITS as u32 - 1) * 10 + u64::from(first - b'0');
                    length += 1;
                    let is_ours = length >= TELLING_DIGITS && self.windows.contains(&run);
                    if is_ours && !std::mem::replace(&mut is_counted, true) {
                        count += 1;
                    }
                }
                b' ' | b'-' => {}
                b'\\' if separator(after).is_some() => {
                    rest = separator(after).unwrap_or(after);
                }
                _ => (run, length, is_counted) = (0, 0, false),
            }
        }
        count
    }
}

/// What follows a blank or a dash that JSON wrote as an escape, once or twice.
fn separator(after: &[u8]) -> Option<&[u8]> {
    let after = after.strip_prefix(b"\\").unwrap_or(after);
    ["u0020", "u002d"]
        .iter()
        .find_map(|escape| after.strip_prefix(escape.as_bytes()))
}
