//! A desk to put the window on: an own X display with a window manager, an own session bus, an own
//! home. Nothing of it is shared with the machine that runs the test, and all of it goes with it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// How long a helper program may take to be there; an idle machine needs well below a second.
const START_WITHIN: Duration = Duration::from_secs(30);

/// How long a program may take to end after SIGTERM before it is killed.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Room for the window's 1280x800 and a dialog beside it.
const SCREEN: &str = "1400x900x24";

/// A session bus that starts nothing by itself: what is on it, the test has put there.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=DIR</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A process, and with it every process that it started. Dropped, they are ended.
pub struct Group {
    child: Child,
    name: String,
}

impl Group {
    /// Starts the command as the leader of a process group of its own.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.process_group(0).spawn().with_context(|| {
            format!("{name} did not start; `cargo xtask test` installs what the tests need")
        })?;
        Ok(Self { child, name })
    }

    /// The first line that the process writes to its standard output.
    fn first_line(&mut self) -> anyhow::Result<String> {
        let output = self
            .child
            .stdout
            .take()
            .context("the output is not a pipe")?;
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines();
            let _ = sender.send(lines.next());
            // Read on, so that the process never waits for somebody who listens.
            lines.for_each(drop);
        });
        match receiver.recv_timeout(START_WITHIN) {
            Ok(Some(Ok(line))) => Ok(line),
            _ => bail!("{} did not say where it is", self.name),
        }
    }

    /// Sends SIGTERM to the leader alone.
    pub fn ask_to_stop(&self) {
        signal(self.child.id() as i32, libc::SIGTERM);
    }

    /// Waits for the leader to end and answers its exit code.
    pub fn wait(&mut self, within: Duration) -> anyhow::Result<Option<i32>> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            ensure!(
                began.elapsed() < within,
                "{} did not end within {within:?}",
                self.name
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.child.id() as i32;
        signal(-group, libc::SIGTERM);
        let _ = self.wait(END_WITHIN);
        signal(-group, libc::SIGKILL);
        let _ = self.child.wait();
    }
}

fn signal(pid: i32, number: i32) {
    // SAFETY: kill takes two integers and touches no memory of ours. The group's leader is a child
    // that was not waited for yet or left its group's number to its own children.
    unsafe { libc::kill(pid, number) };
}

/// The desk. Fields are dropped in this order: the programs before the display they are on.
pub struct Desk {
    _manager: Group,
    _display: Group,
    _bus: Group,
    display_name: String,
    bus_address: String,
    home: tempfile::TempDir,
}

impl Desk {
    /// Sets up everything and waits until it is there.
    pub fn new() -> anyhow::Result<Self> {
        let home = tempfile::tempdir()?;
        for folder in ["config", "data", "cache", "state", "run", "bus"] {
            std::fs::create_dir(home.path().join(folder))?;
        }
        let bus_folder = home.path().join("bus");
        let bus_file = bus_folder.join("bus.conf");
        std::fs::write(&bus_file, BUS.replace("DIR", &bus_folder.to_string_lossy()))?;
        let mut bus = Group::start(
            Command::new("dbus-daemon")
                .arg(format!("--config-file={}", bus_file.display()))
                .args(["--nofork", "--print-address"])
                .stdout(Stdio::piped()),
        )?;
        let bus_address = bus.first_line()?;

        // The display picks a free number itself, so that tests run beside each other.
        let mut display = Group::start(
            Command::new("Xvfb")
                .args([
                    "-displayfd",
                    "1",
                    "-screen",
                    "0",
                    SCREEN,
                    "-nolisten",
                    "tcp",
                ])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        )?;
        let display_name = format!(":{}", display.first_line()?.trim());

        // Dialogs get the keyboard only where somebody manages windows.
        let mut manager = Command::new("openbox");
        put_on(&mut manager, home.path(), &display_name, &bus_address);
        let manager = Group::start(manager.stderr(Stdio::null()))?;
        Ok(Self {
            _manager: manager,
            _display: display,
            _bus: bus,
            display_name,
            bus_address,
            home,
        })
    }

    /// The home's folder; everything that programs on the desk keep is below it.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The session bus, for the test itself.
    pub fn bus_address(&self) -> &str {
        &self.bus_address
    }

    /// A command whose program sees this desk and no other.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        put_on(
            &mut command,
            self.home.path(),
            &self.display_name,
            &self.bus_address,
        );
        command
    }

    /// Types into a window of the display as a person would, once a window with that title is there.
    pub fn type_into(&self, title: &str, keys: &[Keys<'_>]) -> anyhow::Result<()> {
        let window = self.window_titled(title)?;
        self.xdotool(&["windowactivate", "--sync", &window])?;
        for keys in keys {
            match keys {
                Keys::Text(text) => self.xdotool(&["type", "--delay", "20", text])?,
                Keys::Press(key) => self.xdotool(&["key", key])?,
            }
        }
        Ok(())
    }

    /// The number of a visible window, waited for.
    pub fn window_titled(&self, title: &str) -> anyhow::Result<String> {
        let began = Instant::now();
        loop {
            let found = self
                .command("xdotool")
                .args(["search", "--onlyvisible", "--name", title])
                .stderr(Stdio::null())
                .output()?;
            if let Some(window) = String::from_utf8(found.stdout)?.lines().next() {
                return Ok(window.to_owned());
            }
            ensure!(
                began.elapsed() < START_WITHIN,
                "no window titled {title:?} came up"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn xdotool(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.command("xdotool").args(arguments).status()?;
        ensure!(status.success(), "xdotool {arguments:?} failed");
        Ok(())
    }
}

/// What a person does at the keyboard.
pub enum Keys<'a> {
    /// Writes this.
    Text(&'a str),
    /// Presses this key, by xdotool's name.
    Press(&'a str),
}

/// The environment of a program on the desk.
fn put_on(command: &mut Command, home: &Path, display: &str, bus: &str) {
    command.env_clear();
    for kept in ["PATH", "LANG", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("DISPLAY", display)
        .env("GDK_BACKEND", "x11")
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        // No accessibility bus is on the desk; asking for one costs seconds.
        .env("NO_AT_BRIDGE", "1")
        .env("GTK_A11Y", "none")
        // Settings are kept in memory: no settings service is on the bus.
        .env("GSETTINGS_BACKEND", "memory")
        // There is no graphics card either.
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
}

/// A program of this build.
pub fn built(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test
        .ancestors()
        .nth(2)
        .context("a test lives in target/PROFILE/deps")?;
    let program = folder.join(name);
    ensure!(
        program.exists(),
        "{} is missing; build it with `cargo build -p …`",
        program.display()
    );
    Ok(program)
}
