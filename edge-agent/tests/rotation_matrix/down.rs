//! What happens to the log while the agent is down.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::log::{LINES, Log, append, gzip, truncate, zstd};

#[test]
fn ten_rotations_while_down() {
    let mut log = Log::new();
    log.write(5_000);
    log.read();
    log.stop();
    for _ in 0..10 {
        log.write(9_000);
        log.rotate(20);
    }
    log.write(LINES - 95_000);
    log.start();
    log.read();
    log.assert_whole("ten rotations while down", &[]);
}

#[test]
fn rotated_and_compressed_while_down() {
    for (case, compress) in [("gzip", gzip as fn(&Path)), ("zstd", zstd)] {
        let mut log = Log::new();
        log.write(5_000);
        log.read();
        log.stop();
        for _ in 0..10 {
            log.write(9_000);
            log.rotate(20);
            compress(&log.beside("app.log.1"));
        }
        log.write(LINES - 95_000);
        // Gone again in the middle of a compressed file, which is rotated on meanwhile.
        log.start();
        for _ in 0..5 {
            log.step();
        }
        let read = log.got.len() as u32;
        assert!((5_001..14_000).contains(&read), "{read}");
        log.stop();
        log.rotate(20);
        compress(&log.beside("app.log.1"));
        append(&log.path(), b"");
        log.start();
        log.read();
        log.assert_whole(&format!("compressed with {case} while down"), &[]);
    }
}

#[test]
fn what_cannot_be_unpacked_is_named_and_the_rest_is_read() {
    let mut log = Log::new();
    log.write(60_000);
    log.read();
    log.stop();
    log.rotate(20);
    append(&log.path(), b"what nobody will read\n");
    log.rotate(20);
    fs::rename(log.beside("app.log.1"), log.beside("app.log.1.xz")).unwrap();
    log.write(20_000);
    log.rotate(20);
    zstd(&log.beside("app.log.1"));
    log.write(LINES - 80_000);
    log.start();
    log.read();
    log.assert_whole("compressed with xz while down", &["compressed"]);
    let words = log.words.pop().unwrap();
    assert!(words.starts_with("app.log.2.xz is compressed"), "{words}");
}

#[test]
fn a_compressed_file_that_is_damaged_is_read_as_far_as_it_goes() {
    let mut log = Log::new();
    log.write(60_000);
    log.read();
    log.stop();
    log.rotate(20);
    log.write(20_000);
    log.rotate(20);
    let rotated = log.beside("app.log.1");
    gzip(&rotated);
    let torn = log.beside("app.log.1.gz");
    let len = fs::metadata(&torn).unwrap().len();
    File::options()
        .write(true)
        .open(&torn)
        .unwrap()
        .set_len(len / 2)
        .unwrap();
    log.write(LINES - 80_000);
    log.start();
    log.read();
    assert_eq!(log.why(), ["damaged"]);
    let (lost, twice) = log.lost_and_twice();
    println!(
        "damaged: {} lost and said, {} twice",
        lost.len(),
        twice.len()
    );
    assert!((1..20_000).contains(&lost.len()) && twice.is_empty());
    assert!(lost.iter().all(|number| (60_000..80_000).contains(number)));
}

#[test]
fn deleted_while_down() {
    let mut log = Log::new();
    log.write(50_000);
    log.read();
    log.stop();
    append(&log.path(), b"what nobody will ever read\n");
    fs::remove_file(log.path()).unwrap();
    log.write(LINES - 50_000);
    log.start();
    log.read();
    log.assert_whole("deleted while down", &["deleted"]);
}

#[test]
fn an_inode_number_is_used_again_behind_rotated_files() {
    let mut log = Log::new();
    log.write(20_000);
    log.read();
    log.stop();
    let before = fs::metadata(log.path()).unwrap().ino();
    log.rotate(20);
    log.write(50_000);
    log.rotate(20);
    fs::remove_file(log.beside("app.log.2")).unwrap();
    log.write(LINES - 70_000);
    let is_reused = fs::metadata(log.path()).unwrap().ino() == before;
    log.start();
    log.read();
    log.assert_whole(&format!("inode used again ({is_reused})"), &["deleted"]);
}

#[test]
fn written_anew_while_down_shorter_longer_and_with_an_equal_first_kilobyte() {
    let mut log = Log::new();
    let start = log.next(100);
    append(&log.path(), &start);
    log.write(9_900);
    log.read();
    for (index, lines) in [30_000, 5_000, 15_000, 40_000].into_iter().enumerate() {
        log.stop();
        truncate(&log.path());
        append(&log.path(), &start);
        log.write(lines);
        log.start();
        log.read();
        assert_eq!(log.gaps.len(), index + 1, "{:?}", log.gaps);
        // The lines of the equal start came again, as they were written again.
        let at = log.got.len() - lines as usize - 100;
        assert_eq!(
            log.got.drain(at..at + 100).collect::<Vec<_>>(),
            (0..100).collect::<Vec<_>>()
        );
    }
    log.assert_whole("written anew while down", &["truncated"; 4]);
}
