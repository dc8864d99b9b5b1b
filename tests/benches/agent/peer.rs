//! Those who are compared: the agent, and rsyslogd from Debian in two modes. Each follows a log of
//! its own and keeps its files on a disk of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tests::wait::{self, seconds};
use tests::{Agent, AgentSetup, Process, Proxy, Server};

use crate::disk::Disk;
use crate::feed::Log;
use crate::proc::{Counters, counters};

/// Debian's daemon.
const RSYSLOGD: &str = "/usr/sbin/rsyslogd";
/// Seconds between two deliveries, as the agent comes.
const AS_IT_COMES: u64 = 300;
/// The same where the delivery itself is looked at.
const SOON: u64 = 2;
/// Nobody takes longer to read a line.
const PATIENCE: Duration = seconds(60);

/// Who is measured, and how durable its work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `vendlog-agent`.
    Agent,
    /// rsyslogd as it comes: nothing is synced.
    Rsyslog,
    /// rsyslogd told to sync its queue and its file.
    RsyslogSynced,
}

impl Kind {
    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Agent => "vendlog-agent",
            Kind::Rsyslog => "rsyslogd",
            Kind::RsyslogSynced => "rsyslogd, synced",
        }
    }

    /// What a power cut may take.
    pub fn durability(self) -> &'static str {
        match self {
            Kind::Agent => {
                "fdatasync before anything is acknowledged or sent; local file every 30 s"
            }
            Kind::Rsyslog => {
                "disk queue and file unsynced: a power cut takes what the kernel holds"
            }
            Kind::RsyslogSynced => "queue.syncqueuefiles, checkpointinterval 1, omfile sync",
        }
    }

    /// Whether it is installed.
    pub fn is_here(self) -> bool {
        self == Kind::Agent || Path::new(RSYSLOGD).exists()
    }
}

/// One that runs.
pub struct Peer {
    /// Its log.
    pub log: Log,
    /// Its disk.
    pub disk: Disk,
    running: Running,
    written: usize,
}

enum Running {
    Agent {
        agent: Box<Agent>,
        setup: Box<AgentSetup>,
    },
    Rsyslog {
        process: Process,
        out: PathBuf,
    },
}

impl Peer {
    /// Starts one in `folder`. The agent delivers to `server` too, as machine `id`, every 5 minutes;
    /// `more` is added to its configuration. rsyslogd delivers nowhere.
    pub fn start(kind: Kind, folder: &Path, server: &Server, id: &str, more: &str) -> Result<Peer> {
        std::fs::create_dir_all(folder)?;
        let disk = Disk::new(folder)?;
        let log = Log::create(&folder.join("app.log"))?;
        let running = match kind {
            Kind::Agent => agent(
                disk.path(),
                &log,
                (server, &server.url),
                AS_IT_COMES,
                id,
                more,
            ),
            Kind::Rsyslog | Kind::RsyslogSynced => rsyslog(kind, folder, disk.path(), &log)?,
        };
        Ok(Peer {
            log,
            disk,
            running,
            written: 0,
        })
    }

    /// An agent that sees the server through a link, and delivers soon.
    pub fn start_behind(
        link: &Proxy,
        folder: &Path,
        server: &Server,
        id: &str,
        more: &str,
    ) -> Result<Peer> {
        std::fs::create_dir_all(folder)?;
        let disk = Disk::new(folder)?;
        let log = Log::create(&folder.join("app.log"))?;
        let running = agent(disk.path(), &log, (server, &link.url()), SOON, id, more);
        Ok(Peer {
            log,
            disk,
            running,
            written: 0,
        })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        match &self.running {
            Running::Agent { agent, .. } => agent.process.id(),
            Running::Rsyslog { process, .. } => process.id(),
        }
    }

    /// Its counters now.
    pub fn counters(&self) -> Result<Counters> {
        counters(self.pid())
    }

    /// Appends lines to its log.
    pub fn write(&mut self, lines: &[String]) -> Result<()> {
        self.written += lines.len();
        self.log.write(&lines.to_vec())
    }

    /// Waits until it has taken every line that was written.
    pub fn wait(&self) {
        wait::until("the last line to be taken", PATIENCE, || {
            let taken = match &self.running {
                Running::Agent { setup, .. } => {
                    let status = setup.run("status").json();
                    let inputs = status["inputs"].as_object()?;
                    let offset = inputs.values().next()?["offset"].as_u64()?;
                    let length = std::fs::metadata(self.log.path()).ok()?.len();
                    return (offset == length).then_some(());
                }
                Running::Rsyslog { out, .. } => std::fs::read(out).unwrap_or_default(),
            };
            let lines = taken.iter().filter(|byte| **byte == b'\n').count();
            (lines >= self.written).then_some(())
        });
    }

    /// The agent's setup.
    pub fn setup(&self) -> Result<&AgentSetup> {
        match &self.running {
            Running::Agent { setup, .. } => Ok(setup),
            Running::Rsyslog { .. } => bail!("rsyslogd has no such setup"),
        }
    }

    /// Ends it.
    pub fn stop(mut self) {
        match &mut self.running {
            Running::Agent { agent, .. } => agent.stop(),
            Running::Rsyslog { process, .. } => {
                process.terminate(seconds(30));
            }
        }
    }
}

fn agent(
    disk: &Path,
    log: &Log,
    server: (&Server, &str),
    send_interval_s: u64,
    id: &str,
    more: &str,
) -> Running {
    let (server, url) = server;
    let setup = AgentSetup {
        url: url.to_owned(),
        wifi: format!("mode = \"interval\"\nsend_interval_s = {send_interval_s}"),
        heartbeat_s: 300,
        more: more.to_owned(),
        ..AgentSetup::new(&disk.join("agent"), server, id, log.path())
    };
    Running::Agent {
        agent: Box::new(setup.start()),
        setup: Box::new(setup),
    }
}

fn rsyslog(kind: Kind, folder: &Path, disk: &Path, log: &Log) -> Result<Running> {
    let (work, out) = (disk.join("work"), disk.join("all.log"));
    std::fs::create_dir_all(&work)?;
    let (queue, file) = match kind {
        Kind::RsyslogSynced => (
            "queue.syncqueuefiles=\"on\" queue.checkpointinterval=\"1\"",
            "sync=\"on\"",
        ),
        _ => ("", ""),
    };
    let text = format!(
        "global(workDirectory=\"{work}\")\n\
         module(load=\"imfile\" mode=\"inotify\")\n\
         template(name=\"line\" type=\"string\" string=\"%msg%\\n\")\n\
         input(type=\"imfile\" File=\"{log}\" Tag=\"app\" ruleset=\"out\")\n\
         ruleset(name=\"out\") {{\n\
           action(type=\"omfile\" file=\"{out}\" template=\"line\" {file}\n\
             queue.type=\"Disk\" queue.filename=\"queue\" queue.maxdiskspace=\"256m\"\n\
             queue.saveonshutdown=\"on\" {queue})\n\
         }}\n",
        work = work.display(),
        log = log.path().display(),
        out = out.display(),
    );
    let config = folder.join("rsyslog.conf");
    std::fs::write(&config, text)?;
    let mut command = Command::new(RSYSLOGD);
    command.arg("-n").arg("-f").arg(&config);
    command.arg("-i").arg(folder.join("rsyslogd.pid"));
    let mut process = Process::start(command, folder);
    std::thread::sleep(Duration::from_millis(500));
    if !process.is_running() {
        return Err(anyhow::anyhow!("{}", process.messages())).context("rsyslogd ended");
    }
    Ok(Running::Rsyslog { process, out })
}
