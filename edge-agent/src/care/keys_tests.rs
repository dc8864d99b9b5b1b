//! Keys through rotations, refusals, pairings and crashes: a machine is never locked out.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::keys::Keys;

const OLD: &str = "vl_01_old";
const NEW: &str = "vl_02_new";
const NEXT: &str = "vl_03_next";

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.dir.path().join("etc")).unwrap();
        fs::write(place.base(), format!("{OLD}\n")).unwrap();
        place
    }

    fn base(&self) -> PathBuf {
        self.dir.path().join("etc").join("api_key")
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("api_key")
    }

    fn keys(&self) -> Keys {
        Keys::open(&self.base(), &self.state())
    }

    /// Nobody, not even root, can write beside the file: the aside's name is a directory.
    fn lock_base(&self) {
        fs::create_dir(self.dir.path().join("etc").join("api_key.new")).unwrap();
    }

    fn base_text(&self) -> String {
        fs::read_to_string(self.base()).unwrap().trim().to_owned()
    }
}

#[test]
fn a_new_key_is_tried_first_and_the_old_one_is_kept_until_it_was_accepted() {
    let place = Place::new();
    let keys = place.keys();
    assert_eq!(keys.to_try().unwrap(), [OLD]);
    keys.offer(NEW).unwrap();
    // The answer to a request that was under way with the old one.
    keys.accepted(OLD, false);
    assert_eq!(keys.to_try().unwrap(), [NEW, OLD]);
    assert_eq!(place.base_text(), OLD, "not before it was accepted");
    assert_eq!(place.keys().to_try().unwrap(), [NEW, OLD], "after a kill");
    keys.accepted(NEW, false);
    assert_eq!(keys.to_try().unwrap(), [NEW]);
    assert_eq!(place.base_text(), NEW);
    assert!(!place.state().exists(), "one place is enough");
    let mode = fs::metadata(place.base()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(keys.key_id().as_deref(), Some("02"));
}

#[test]
fn a_refused_new_key_falls_back_and_nothing_is_thrown_away() {
    let place = Place::new();
    let keys = place.keys();
    keys.offer(NEW).unwrap();
    keys.accepted(OLD, true);
    assert_eq!(keys.to_try().unwrap(), [OLD, NEW]);
    assert_eq!(place.keys().to_try().unwrap(), [NEW, OLD]);
    keys.offer(NEXT).unwrap();
    assert_eq!(keys.to_try().unwrap(), [NEXT, OLD], "the void one goes");
}

#[test]
fn where_the_file_cannot_be_written_the_state_directory_keeps_the_key() {
    let place = Place::new();
    place.lock_base();
    let keys = place.keys();
    keys.offer(NEW).unwrap();
    keys.accepted(NEW, false);
    assert_eq!(place.base_text(), OLD);
    assert_eq!(place.keys().to_try().unwrap(), [NEW, OLD]);
    keys.offer(NEXT).unwrap();
    assert_eq!(keys.to_try().unwrap(), [NEXT, NEW, OLD]);
    keys.accepted(NEXT, false);
    assert_eq!(place.keys().to_try().unwrap(), [NEXT, OLD]);
    let mode = fs::metadata(place.state()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_pairing_after_the_servers_key_wins() {
    let place = Place::new();
    place.lock_base();
    let keys = place.keys();
    keys.offer(NEW).unwrap();
    keys.accepted(NEW, false);
    fs::write(place.base(), "vl_09_paired\n").unwrap();
    assert_eq!(
        keys.to_try().unwrap(),
        ["vl_09_paired"],
        "without a restart"
    );
    assert_eq!(place.keys().to_try().unwrap(), ["vl_09_paired"]);
    assert!(!place.state().exists());
}

#[test]
fn a_lost_file_is_no_reason_to_forget_the_servers_key() {
    let place = Place::new();
    place.lock_base();
    let keys = place.keys();
    keys.offer(NEW).unwrap();
    keys.accepted(NEW, false);
    fs::remove_file(place.base()).unwrap();
    assert_eq!(place.keys().to_try().unwrap(), [NEW]);
    keys.offer(NEXT).unwrap();
    assert!(place.keys().to_try().unwrap().contains(&NEXT.to_owned()));
}

#[test]
fn what_is_no_key_is_not_kept() {
    let place = Place::new();
    let keys = place.keys();
    let long = format!("vl_01_{}", "x".repeat(300));
    for text in ["", "vl_", "vt_01_token", "vl_01_a b", "vl_01_\n", &long] {
        assert!(keys.offer(text).is_err(), "{text:?}");
    }
    assert!(!place.state().exists());
}

#[test]
fn whatever_file_a_crash_leaves_a_key_that_works_is_tried() {
    // Every prefix of the renames and removals that an accepted key takes.
    let place = Place::new();
    place.lock_base();
    let keys = place.keys();
    keys.offer(NEW).unwrap();
    keys.accepted(NEW, false);
    keys.offer(NEXT).unwrap();
    let left = ["api_key", "api_key.prev"];
    let mut seen = BTreeSet::new();
    for gone in [vec![], vec!["api_key.prev"], vec!["api_key"]] {
        let copy = Place::new();
        for name in left.iter().filter(|name| !gone.contains(name)) {
            fs::copy(place.dir.path().join(name), copy.dir.path().join(name)).unwrap();
        }
        seen.insert(copy.keys().to_try().unwrap());
    }
    assert!(
        seen.iter().all(|keys| keys.contains(&NEW.to_owned())),
        "{seen:?}"
    );
}

#[test]
fn no_letter_of_a_key_is_shown() {
    let place = Place::new();
    let keys = place.keys();
    keys.offer(NEW).unwrap();
    let shown = format!("{keys:?}");
    assert!(!shown.contains("new") && !shown.contains("old"), "{shown}");
}
