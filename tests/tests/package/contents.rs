//! What is in the packages, and that the same sources make the same bytes.

use std::process::Command;

use tests::package::{must, package, unpack, xtask};

const ARCHES: [(&str, u16); 2] = [("amd64", 62), ("arm64", 183)];
/// What an agent must bring along, with mode and owner.
const FILES: [&str; 8] = [
    "-rwxr-xr-x root/root ./usr/bin/vendlog-agent",
    "-rw-r--r-- root/root ./lib/systemd/system/vendlog-agent.service",
    "-rw-r--r-- root/root ./usr/share/doc/vendlog-agent/copyright",
    "-rw-r--r-- root/root ./usr/share/doc/vendlog-agent/changelog.gz",
    "-rw-r--r-- root/root ./usr/share/doc/vendlog-agent/changelog.Debian.gz",
    "-rw-r--r-- root/root ./usr/share/doc/vendlog-agent/OPERATIONS.md",
    "-rw-r--r-- root/root ./usr/share/doc/vendlog-agent/examples/agent.toml",
    "-rw-r--r-- root/root ./usr/lib/python3/dist-packages/vendlog/__init__.py",
];

#[test]
fn each_package_has_its_files_and_says_what_it_needs() {
    for (arch, machine) in ARCHES {
        let package = package(arch);
        let listed = must(Command::new("dpkg-deb").arg("-c").arg(&package));
        // Mode and owner, and the name at the end: size and date between them differ.
        let lines: Vec<String> = listed
            .lines()
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                format!("{} {} {}", words[0], words[1], words[words.len() - 1])
            })
            .collect();
        for file in FILES {
            assert!(
                lines.iter().any(|line| line == file),
                "{file} in {arch}: {listed}"
            );
        }
        for line in &lines {
            assert!(line.contains(" root/root "), "{line}");
            // A configuration or a key of a paired machine must never come from a package.
            assert!(!line.contains(" ./etc/"), "{line}");
            assert!(!line.contains("__pycache__"), "{line}");
        }
        let field = |name: &str| {
            let mut query = Command::new("dpkg-deb");
            must(query.arg("-f").arg(&package).arg(name))
                .trim()
                .to_owned()
        };
        assert_eq!(field("Architecture"), arch);
        let depends = field("Depends");
        assert!(depends.starts_with("libc6 (>= 2."), "{depends}");
        assert!(depends.ends_with(", adduser"), "{depends}");

        let dir = tempfile::tempdir().expect("a directory");
        unpack(&package, dir.path());
        let program = std::fs::read(dir.path().join("usr/bin/vendlog-agent")).expect("the agent");
        assert_eq!(&program[..4], b"\x7fELF");
        assert_eq!(
            u16::from_le_bytes([program[18], program[19]]),
            machine,
            "{arch}"
        );
        let here = tests::binaries::root().display().to_string();
        assert!(
            !program
                .windows(here.len())
                .any(|part| part == here.as_bytes()),
            "the agent for {arch} must not say where it was built"
        );
        println!(
            "{arch}: {} bytes packed, {} the agent; Depends: {depends}",
            std::fs::metadata(&package).expect("it is there").len(),
            program.len()
        );
    }
}

#[test]
fn the_same_sources_make_the_same_packages() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().to_string_lossy();
    xtask(&["package", "--out", &out]);
    for (arch, _) in ARCHES {
        let first = package(arch);
        let name = first.file_name().expect("it has a name");
        let again = std::fs::read(dir.path().join(name)).expect("made again");
        let first = std::fs::read(&first).expect("made before");
        assert!(first == again, "the packages for {arch} differ");
    }
}
