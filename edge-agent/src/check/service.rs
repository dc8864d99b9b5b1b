//! What the systemd unit does not let the agent do though its user may: said when the unit is
//! installed and the configuration is the one that it runs with.

use std::path::Path;

use super::{Findings, Looking};
use crate::config::InputKind;

/// Where the package puts the unit.
const UNIT: &str = "/lib/systemd/system/vendlog-agent.service";
/// The configuration that the unit names.
const CONFIG: &str = "/etc/vendlog/agent.toml";
/// What the unit lets the agent write.
const WRITABLE: [&str; 4] = [
    "/var/lib/vendlog-agent",
    "/var/log/vendlog",
    "/run/vendlog",
    "/etc/vendlog",
];
/// The service has these to itself: it does not see those of others.
const PRIVATE: [&str; 2] = ["/tmp", "/var/tmp"];

pub(super) fn check(path: &Path, looking: &Looking, findings: &mut Findings) {
    if path == Path::new(CONFIG) && Path::new(UNIT).exists() {
        check_sandbox(looking, findings);
    }
}

fn check_sandbox(looking: &Looking, findings: &mut Findings) {
    let config = looking.config;
    let mut written = vec![
        (
            looking.lines.of("", "state_dir"),
            config.state_dir.as_path(),
        ),
        (
            looking.lines.of("local", "path"),
            config.local.path.as_path(),
        ),
    ];
    for input in &config.inputs {
        let line = looking.lines.at(input.span.start);
        match &input.kind {
            InputKind::File(file) if is_below(&file.path, &PRIVATE) => {
                findings.mistakes.push(format!(
                    "{line}input {}: the service has a /tmp of its own and does not see this one; let \
                     the application log elsewhere",
                    file.path.display()
                ));
            }
            InputKind::File(_) | InputKind::Journal(_) => {}
            InputKind::Socket(socket) => written.push((line, &socket.file.path)),
            InputKind::Syslog(syslog) => {
                let file = syslog.file.as_ref();
                written.extend(file.map(|file| (line, file.path.as_path())));
            }
        }
    }
    for (line, path) in written {
        if is_below(path, &WRITABLE) {
            continue;
        }
        let dir = path.parent().unwrap_or(path).display();
        findings.mistakes.push(format!(
            "{line}{}: the service may not write there; run: sudo systemctl edit vendlog-agent, and \
             put there: [Service] and in the next line ReadWritePaths={dir}",
            path.display()
        ));
    }
}

fn is_below(path: &Path, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::super::lines::Lines;
    use super::super::user::User;
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_the_unit_forbids_is_named_with_its_line_and_the_packaged_places_are_not() {
        let text = include_str!("../../agent.example.toml");
        let found = |text: &str| {
            let config = Config::parse(Path::new("agent.toml"), text).expect("it is sound");
            let looking = Looking {
                config: &config,
                lines: Lines::new(text),
                user: User::current(),
            };
            let mut findings = Findings::default();
            check_sandbox(&looking, &mut findings);
            findings.mistakes
        };
        assert_eq!(found(text), [""; 0]);
        let other = text
            .replace("/var/lib/vendlog-agent", "/data/agent")
            .replace("/home/pi/soap/", "/tmp/");
        let said = found(&other).join("\n");
        assert!(
            said.contains("line 4: /data/agent: the service may not write"),
            "{said}"
        );
        assert!(said.contains("input /tmp/last_tx_log.log"), "{said}");
    }

    #[test]
    fn the_unit_lets_the_agent_write_where_this_says() {
        let unit = include_str!("../../../packaging/vendlog-agent.service");
        for line in [
            "StateDirectory=vendlog-agent",
            "LogsDirectory=vendlog",
            "RuntimeDirectory=vendlog",
            "ReadWritePaths=-/etc/vendlog",
            "ProtectSystem=strict",
            "PrivateTmp=yes",
        ] {
            assert!(unit.lines().any(|of| of == line), "{line}");
        }
        assert!(unit.contains(CONFIG));
    }
}
