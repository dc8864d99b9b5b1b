//! What holds for every folder, on vsftpd and on OpenSSH alike.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use drops::Raw;
use serde_json::json;

use crate::kept::{Kept, Server, bytes};

#[tokio::test(flavor = "multi_thread")]
async fn new_files_come_once_with_their_bytes() {
    for server in Server::both() {
        let kept = Kept::default();
        let every_byte: Vec<u8> = (0..=255).collect();
        let odd = [
            "VM001-7-12.txt",
            "a b;c %41 'q'.txt",
            "Tür ✓.txt",
            "-rf.txt",
            "[x].TXT",
        ];
        for name in odd {
            server.put(name, &every_byte);
        }
        server.put("photo.jpg", b"not ours");
        server.put("VM002.txt.part", b"half");
        server.put("VM003.tmp", b"half");
        server.put("empty.txt", b"");
        server.make_folder("folder.txt");
        symlink("/etc/passwd", server.folder().join("link.txt")).expect("a link");

        let polled = server
            .poll(&kept, json!({"pattern": "*.txt"}))
            .await
            .unwrap();
        assert_eq!((polled.taken, polled.trouble_count), (5, 0), "{polled:?}");
        let found = kept.drain();
        for file in &found {
            assert_eq!(bytes(file), every_byte, "{}", file.name);
            assert!(file.at_source.is_some());
        }
        let mut names: Vec<_> = found.iter().map(|f| f.name.as_str()).collect();
        names.sort_unstable();
        let mut expected = odd;
        expected.sort_unstable();
        assert_eq!(names, expected);

        let again = server
            .poll(&kept, json!({"pattern": "*.txt"}))
            .await
            .unwrap();
        assert_eq!((again.taken, again.seen), (0, 5), "{again:?}");
        let tested = drops::test(&server.config(json!({"pattern": "*.txt"})))
            .await
            .unwrap();
        assert!(tested.files >= 5 && tested.sample.len() >= 5, "{tested:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_overwritten_comes_again() {
    for server in Server::both() {
        let kept = Kept::default();
        for round in 0..3 {
            let text = format!("drop {round}");
            server.put("drop.txt", text.as_bytes());
            server.poll(&kept, json!({})).await.unwrap();
            let found = kept.drain();
            assert_eq!(
                found.len(),
                1,
                "round {round}: same name, same size, same minute"
            );
            assert_eq!(bytes(&found[0]), text.as_bytes());
            assert_eq!(server.poll(&kept, json!({})).await.unwrap().taken, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_moved_or_deleted_only_after_it_was_taken() {
    for server in Server::both() {
        for after in [
            json!({"after": "delete"}),
            json!({"after": "move", "move_to": "done"}),
        ] {
            let kept = Kept::default();
            if !server.folder().join("done").exists() {
                server.make_folder("done");
            }
            for number in 1..=4 {
                server.put(
                    &format!("{number}.txt"),
                    format!("drop {number}").as_bytes(),
                );
            }
            kept.stop_after(Some(2));
            let stopped = server.poll(&kept, after.clone()).await.unwrap_err();
            assert_eq!(stopped.code(), "stopped");
            let left = server.names("");
            assert_eq!(left.len(), 3, "two files and the folder: {left:?}");
            kept.stop_after(None);
            let polled = server.poll(&kept, after).await.unwrap();
            assert_eq!((polled.taken, polled.trouble_count), (2, 0), "{polled:?}");
            assert_eq!(kept.names(), ["1.txt", "2.txt", "3.txt", "4.txt"]);
            assert_eq!(server.names(""), ["done"]);
        }
        assert_eq!(server.names("done"), ["1.txt", "2.txt", "3.txt", "4.txt"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_to_wait_holds_up_no_other() {
    for server in Server::both() {
        let kept = Kept::default();
        let after = json!({"after": "delete"});
        for name in ["1.txt", "2.txt", "3.txt"] {
            server.put(name, b"drop");
        }
        kept.hold(&["1.txt", "2.txt"]);
        let polled = server.poll(&kept, after.clone()).await.unwrap();
        assert_eq!((polled.taken, polled.trouble_count), (1, 2), "{polled:?}");
        assert!(polled.troubles[0].message.contains("full"), "{polled:?}");
        assert_eq!(server.names(""), ["1.txt", "2.txt"]);
        kept.hold(&[]);
        let polled = server.poll(&kept, after).await.unwrap();
        assert_eq!((polled.taken, polled.trouble_count), (2, 0), "{polled:?}");
        assert!(server.names("").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_folder_is_another_file() {
    for server in Server::both() {
        let kept = Kept::default();
        let at = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (folder, text) in [("a", b"drop a"), ("b", b"drop b")] {
            server.make_folder(folder);
            server.put(&format!("{folder}/1.txt"), text);
            let path = server.folder().join(folder).join("1.txt");
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(at).unwrap();
        }
        for (folder, text) in [("a", b"drop a"), ("b", b"drop b")] {
            let there = json!({"folder": folder, "after": "delete"});
            let polled = server.poll(&kept, there).await.unwrap();
            assert_eq!((polled.taken, polled.seen), (1, 0), "{polled:?}");
            assert_eq!(bytes(&kept.drain()[0]), text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_commit_and_delete_deletes_at_the_next_poll() {
    for server in Server::both() {
        let kept = Kept::default();
        server.put("1.txt", b"drop 1");
        // Taken and kept: as if we had died before deleting.
        server.poll(&kept, json!({})).await.unwrap();
        assert_eq!(kept.names(), ["1.txt"]);
        let polled = server
            .poll(&kept, json!({"after": "delete"}))
            .await
            .unwrap();
        assert_eq!((polled.taken, polled.seen), (0, 1), "not fetched again");
        assert!(server.names("").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_fails_is_said_and_tried_again_without_fetching_again() {
    for server in Server::both() {
        let kept = Kept::default();
        server.put("1.txt", b"drop 1");
        let after = json!({"after": "move", "move_to": "done"});
        let polled = server.poll(&kept, after.clone()).await.unwrap();
        assert_eq!((polled.taken, polled.trouble_count), (1, 1), "{polled:?}");
        let trouble = &polled.troubles[0];
        assert!(
            trouble.message.contains("could not be moved to done"),
            "{trouble:?}"
        );
        server.make_folder("done");
        // Somebody else's file of that name is not replaced.
        server.put("done/1.txt", b"older");
        let polled = server.poll(&kept, after).await.unwrap();
        assert_eq!((polled.taken, polled.trouble_count), (0, 0), "{polled:?}");
        assert_eq!(server.names(""), ["done"]);
        assert_eq!(server.names("done").len(), 2);
        let older = fs::read(server.folder().join("done/1.txt")).unwrap();
        assert_eq!(older, b"older");
        assert_eq!(kept.names(), ["1.txt"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_40_mb_file_is_reported_and_not_downloaded() {
    for server in Server::both() {
        let kept = Kept::default();
        server.put("movie.txt", b"");
        let movie = File::options()
            .write(true)
            .open(server.folder().join("movie.txt"));
        movie.unwrap().set_len(40_000_000).unwrap();
        server.put("1.txt", b"drop 1");
        let began = Instant::now();
        for (round, taken) in [(0, 2), (1, 0)] {
            let polled = server
                .poll(&kept, json!({"after": "delete"}))
                .await
                .unwrap();
            assert_eq!(polled.taken, taken, "round {round}: {polled:?}");
        }
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{:?}",
            began.elapsed()
        );
        let found = kept.drain();
        let movie = found
            .iter()
            .find(|f| f.name == "movie.txt")
            .expect("reported");
        assert_eq!(
            movie.raw,
            Raw::TooLarge {
                size_bytes: 40_000_000
            }
        );
        assert_eq!(
            server.names(""),
            ["movie.txt"],
            "nobody else has its bytes: it stays"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_still_written_waits_until_it_is_whole() {
    for server in Server::both() {
        let kept = Kept::default();
        server.put("1.txt", b"begin\n");
        let path = server.folder().join("1.txt");
        let writer = std::thread::spawn(move || {
            for _ in 0..14 {
                std::thread::sleep(Duration::from_millis(300));
                let mut file = File::options().append(true).open(&path).unwrap();
                file.write_all(b"more\n").unwrap();
            }
        });
        let polled = server
            .poll(&kept, json!({"after": "delete"}))
            .await
            .unwrap();
        assert_eq!((polled.taken, polled.still_written), (0, 1), "{polled:?}");
        writer.join().unwrap();
        server
            .poll(&kept, json!({"after": "delete"}))
            .await
            .unwrap();
        let found = kept.drain();
        assert_eq!(bytes(&found[0]).len(), 6 + 14 * 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_utf_8_are_fetched_or_left_alone() {
    for server in Server::both() {
        let kept = Kept::default();
        server.put("x", b"drop");
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
        fs::rename(server.folder().join("x"), server.folder().join(name)).unwrap();
        let polled = server.poll(&kept, json!({})).await.unwrap();
        assert_eq!(polled.trouble_count, 0, "{polled:?}");
        // SFTP's library gives such names damaged; FTP's gives the bytes.
        let expected = match server {
            Server::Ftp(_) => (1, 0),
            Server::Sftp(_) => (0, 1),
        };
        assert_eq!((polled.taken, polled.passed_over), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_files_come_in_one_poll() {
    const FILES: usize = 2_000;
    for server in Server::both() {
        let kept = Kept::default();
        for number in 0..FILES {
            server.put(
                &format!("VM001-7-{number}.txt"),
                format!("drop {number}").as_bytes(),
            );
        }
        let began = Instant::now();
        let polled = server.poll(&kept, json!({})).await.unwrap();
        println!("{} of {FILES} files in {:?}", polled.taken, began.elapsed());
        assert_eq!(polled.taken, FILES as u64, "{polled:?}");
        let began = Instant::now();
        let again = server.poll(&kept, json!({})).await.unwrap();
        println!("and again in {:?}; {} keys", began.elapsed(), kept.keys());
        assert_eq!((again.taken, again.seen), (0, FILES as u64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once() {
    for server in Server::both() {
        let kept = Kept::default();
        let wrong = json!({"password": "wrong-password-1", "timeout_s": 10});
        let refused = server.poll(&kept, wrong).await.unwrap_err();
        assert_eq!(refused.code(), "refused", "{refused}");
        assert!(
            refused.to_string().contains("check user and password"),
            "{refused}"
        );
        assert!(!format!("{refused:?}").contains("wrong-password-1"));
        let log = server.log();
        let tries = match server {
            Server::Ftp(_) => log.matches("FAIL LOGIN").count(),
            Server::Sftp(_) => log.matches("Failed password").count(),
        };
        assert_eq!(tries, 1, "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hinders_a_source_has_its_own_code() {
    for mut server in Server::both() {
        let kept = Kept::default();
        let nowhere = server
            .poll(&kept, json!({"folder": "no/such"}))
            .await
            .unwrap_err();
        assert_eq!(nowhere.code(), "no_folder", "{nowhere}");
        server.hang(true);
        let began = Instant::now();
        let hangs = server
            .poll(&kept, json!({"timeout_s": 2}))
            .await
            .unwrap_err();
        assert_eq!(hangs.code(), "timed_out", "{hangs}");
        assert!(
            began.elapsed() < Duration::from_secs(6),
            "{:?}",
            began.elapsed()
        );
        server.hang(false);
        match &mut server {
            Server::Ftp(ftp) => ftp.stop(),
            Server::Sftp(ssh) => ssh.stop(),
        }
        let gone = server.poll(&kept, json!({})).await.unwrap_err();
        assert_eq!(gone.code(), "unreachable", "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_to_wait_is_not_downloaded_while_it_is_left_alone() {
    for server in Server::both() {
        let kept = Kept::default();
        kept.hold(&["1.txt"]);
        kept.leave_alone(true);
        server.put("1.txt", b"waits");
        server.put("2.txt", b"drop");
        for (taken, words) in [(1, "full"), (0, "left alone"), (0, "left alone")] {
            let polled = server.poll(&kept, json!({})).await.unwrap();
            assert_eq!(
                (polled.taken, polled.trouble_count),
                (taken, 1),
                "{polled:?}"
            );
            assert!(polled.troubles[0].message.contains(words), "{polled:?}");
        }
        if let Server::Ftp(ftp) = &server {
            assert_eq!(ftp.log().matches("\"RETR 1.txt\"").count(), 1);
        }
        // There is room again.
        kept.hold(&[]);
        kept.leave_alone(false);
        let polled = server.poll(&kept, json!({})).await.unwrap();
        assert_eq!((polled.taken, polled.trouble_count), (1, 0), "{polled:?}");
    }
}
