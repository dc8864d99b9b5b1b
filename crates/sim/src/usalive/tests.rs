//! A real HTTP receiver and a real folder of uploads.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use super::*;

/// A receiver that answers each request with the next of these codes, the last for ever, and hands
/// over what it got: the head's first line and the body.
fn receiver(codes: Vec<u16>) -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!(
        "http://drops:pass@{}/api/drops",
        listener.local_addr().expect("bound")
    );
    let (sender, got) = mpsc::channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
            let (mut head, mut size) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                let line = line.to_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    size = value.trim().parse().unwrap_or(0);
                }
                head.push_str(&line);
            }
            let mut body = vec![0; size];
            let _ = reader.read_exact(&mut body);
            let code = codes[number.min(codes.len() - 1)];
            let _ = write!(
                stream,
                "HTTP/1.1 {code} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            if sender.send((head, body)).is_err() {
                return;
            }
        }
    });
    (url, got)
}

fn options(uploads: &Path, url: &str) -> Options {
    let settings = WaySettings {
        mail: MailLook {
            form: MailForm::Attachment,
            has_footer: false,
        },
        sftp_key: None,
        pin: None,
        invalid_for: Duration::from_secs(300),
    };
    Options {
        uploads: uploads.to_owned(),
        keep: None,
        ways: vec![Way::open(url, &settings).expect("a way")],
        fates: Fates {
            seed: 1,
            loss: 0.0,
            double: 0.0,
            delay: Duration::ZERO,
            shuffle: Duration::ZERO,
            spread: false,
        },
        dress: Vec::new(),
    }
}

async fn until_idle(options: Options) -> Total {
    run(options, tokio::time::sleep(LOOK * 3), Box::new(|_| Ok(())))
        .await
        .expect("runs")
}

fn put(folder: &Path, names: &[&str]) {
    for name in names {
        fs::write(folder.join(name), format!("drop {name}")).expect("an upload");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_is_posted_once_as_the_real_transport_does() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), &["VM001-7-1.txt", ".VM001-7-2.txt"]);
    let (url, got) = receiver(vec![200]);
    let total = until_idle(options(folder.path(), &url)).await;
    assert_eq!((total.uploaded, total.delivered, total.copies), (1, 1, 1));
    let (head, body) = got.recv().expect("the test call");
    assert!(
        head.starts_with("post /api/drops/testtransportfilename?reason=test "),
        "{head}"
    );
    assert!(
        !head.contains("content-type"),
        "the test call has no type: {head}"
    );
    assert!(head.contains("authorization: basic"), "{head}");
    assert_eq!(body.len(), 33);
    let (head, body) = got.recv().expect("the drop");
    assert!(head.starts_with("post /api/drops/vm001-7-1.txt "), "{head}");
    assert_eq!(body, b"drop VM001-7-1.txt");
    assert!(got.try_recv().is_err(), "nothing else is sent");
    let left: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .flatten()
        .collect();
    assert_eq!(left.len(), 1, "only what is still being written is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_again_and_a_500_ends_the_transport_for_minutes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, got) = receiver(vec![200, 500, 200]);
    let way = options(folder.path(), &url).ways.pop().expect("one way");
    let parcel = Parcel::wrap("a.txt", b"one", &[]);
    assert!(way.test().await.expect("HTTP has a test call").is_ok());
    assert!(way.deliver("a.txt", &parcel).await.is_err(), "500");
    let refused = way.deliver("a.txt", &parcel).await.expect_err("invalid");
    assert!(refused.to_string().contains("invalid"), "{refused}");
    assert_eq!(got.iter().take(2).count(), 2, "the third never left");
    assert!(got.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_total_is_the_truth_of_a_bad_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = (0..60).map(|n| format!("VM001-7-{n}.txt")).collect();
    put(
        folder.path(),
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let (url, got) = receiver(vec![200]);
    let mut options = options(folder.path(), &url);
    let keep = tempfile::tempdir().expect("a folder");
    options.keep = Some(keep.path().to_owned());
    options.fates.loss = 0.3;
    options.fates.double = 0.2;
    options.fates.shuffle = Duration::from_secs(60);
    let total = until_idle(options).await;
    assert_eq!(total.uploaded, 60);
    assert_eq!(total.uploaded, total.lost + total.delivered, "{total:?}");
    assert!(total.lost > 5 && total.doubled > 2, "{total:?}");
    assert_eq!(names_in(keep.path()).expect("a folder").len(), 60);
    let posts: Vec<_> = got.try_iter().skip(1).map(|(head, _)| head).collect();
    assert_eq!(posts.len() as u64, total.copies);
    assert!(!posts.is_sorted(), "the order is shuffled");
}

/// The simulated reader writes beside us, and what it is just renaming is there at the listing and
/// gone at the look.
#[test]
fn a_file_that_is_renamed_meanwhile_does_not_end_the_listing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let (stop, stopped) = mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let finished = path.join("VM001-1-1.txt");
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            for half in (0..8).map(|number| path.join(format!(".{number}.part"))) {
                fs::write(&half, "half").expect("written");
                fs::rename(&half, &finished).expect("renamed");
            }
        }
    });
    for _ in 0..20_000 {
        names_in(folder.path()).expect("the folder can always be read");
    }
    stop.send(()).expect("the writer is still there");
    writer.join().expect("the writer does not fail");
}
