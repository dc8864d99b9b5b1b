//! A desk to put the window on: an own X display with a window manager, an own session bus, an own
//! home. Nothing of it is shared with the machine that runs the test, and all of it goes with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tests::process::{self, Process};
use tests::wait;

/// How long a window may take to come up.
const COME_UP_WITHIN: Duration = Duration::from_secs(30);

/// Between two looks at the display.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a window may take to go after the key.
const CLOSE_AFTER: Duration = Duration::from_secs(1);

/// Room for the window's 1280x800 and its frame.
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

/// The desk.
pub struct Desk {
    display: Process,
    manager: Process,
    _bus: Process,
    display_name: String,
    bus_address: String,
    dark: bool,
    home: tempfile::TempDir,
    /// Last, so that the next desk is set up when this one is cleared away.
    _alone: MutexGuard<'static, ()>,
}

/// One desk at a time: what is timed in a window is not to wait for another window's processes.
static ALONE: Mutex<()> = Mutex::new(());

impl Desk {
    /// Sets up everything and waits until it is there.
    pub fn new() -> anyhow::Result<Self> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let home = tempfile::tempdir()?;
        for folder in ["config", "data", "cache", "state", "run", "bus"] {
            std::fs::create_dir(home.path().join(folder))?;
        }
        let bus_folder = home.path().join("bus");
        let bus_file = bus_folder.join("bus.conf");
        std::fs::write(&bus_file, BUS.replace("DIR", &bus_folder.to_string_lossy()))?;
        let mut bus = Command::new("dbus-daemon");
        bus.arg(format!("--config-file={}", bus_file.display()));
        bus.args(["--nofork", "--print-address"]);
        let mut bus = Process::start(bus, home.path());
        let bus_address = bus.line().context("the session bus did not start")?;

        // The display picks a free number itself, so that tests run beside each other.
        let mut display = Command::new("Xvfb");
        display.args(["-displayfd", "1", "-screen", "0", SCREEN]);
        // Else it starts anew, and drops everybody, whenever its only client goes.
        display.args(["-nolisten", "tcp", "-noreset"]);
        let mut display = Process::start(display, home.path());
        let number = display.line().context("the display did not start")?;
        let display_name = format!(":{number}");

        // Dialogs get the keyboard only where somebody manages windows.
        let mut manager = Command::new("openbox");
        put_on(&mut manager, home.path(), &display_name, &bus_address);
        let manager = Process::start(manager, home.path());
        let desk = Self {
            display,
            manager,
            _bus: bus,
            display_name,
            bus_address,
            dark: false,
            home,
            _alone: alone,
        };
        desk.wait_for_manager()?;
        Ok(desk)
    }

    /// From now on the desk has a dark theme.
    pub fn darken(&mut self) {
        self.dark = true;
    }

    /// The home's folder; everything that programs on the desk keep is below it.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path below the home, as an argument.
    pub fn path(&self, name: &str) -> String {
        self.home().join(name).to_string_lossy().into_owned()
    }

    /// The session bus, for the test itself.
    pub fn bus_address(&self) -> &str {
        &self.bus_address
    }

    /// A command whose program sees this desk and no other.
    pub fn command(&self, program: impl Into<PathBuf>) -> Command {
        let mut command = Command::new(program.into());
        put_on(
            &mut command,
            self.home(),
            &self.display_name,
            &self.bus_address,
        );
        if self.dark {
            command.env("GTK_THEME", "Adwaita:dark");
        }
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

    /// Closes the window with that title by its manager, as the button in its frame does.
    pub fn close_window(&self, title: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        self.window_titled(title)?;
        // A window that has just come up may miss a key.
        while let Some(window) = self.windows_titled(title)?.pop() {
            ensure!(began.elapsed() < COME_UP_WITHIN, "{title:?} does not close");
            let activated = self.xdotool(&["windowactivate", "--sync", &window]);
            if activated.is_ok() {
                self.xdotool(&["key", "alt+F4"])?;
            }
            std::thread::sleep(CLOSE_AFTER);
        }
        Ok(())
    }

    /// The number of a visible window, waited for.
    pub fn window_titled(&self, title: &str) -> anyhow::Result<String> {
        let began = Instant::now();
        loop {
            if let Some(window) = self.windows_titled(title)?.pop() {
                return Ok(window);
            }
            ensure!(
                began.elapsed() < COME_UP_WITHIN,
                "no window titled {title:?} came up"
            );
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// The numbers of the visible windows with that title.
    pub fn windows_titled(&self, title: &str) -> anyhow::Result<Vec<String>> {
        let search = ["search", "--onlyvisible", "--name", title];
        let found = self
            .command("xdotool")
            .args(search)
            .stderr(Stdio::null())
            .output()?;
        Ok(String::from_utf8(found.stdout)?
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// Saves the app's window with its frame as a picture.
    pub fn picture(&self, file: &Path) -> anyhow::Result<()> {
        let mut import = self.command("import");
        import
            .args(["-frame", "-window", &self.window_titled("Vendlog$")?])
            .arg(file);
        let taken = process::run(import);
        ensure!(taken.code == Some(0), "import failed: {}", taken.stderr);
        Ok(())
    }

    fn wait_for_manager(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut asked = self.command("xdotool");
        asked
            .arg("get_desktop")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        while !asked.status()?.success() {
            let messages = self.manager.messages();
            ensure!(
                began.elapsed() < COME_UP_WITHIN,
                "nobody manages the windows: {messages}"
            );
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn xdotool(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.command("xdotool").args(arguments).status()?;
        ensure!(status.success(), "xdotool {arguments:?} failed");
        Ok(())
    }
}

impl Drop for Desk {
    /// Asked to end, the display removes its lock and its socket from /tmp.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.display.terminate(wait::seconds(10));
        }
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
        // No accessibility bus and no settings service are on the desk; asking costs seconds.
        .env("NO_AT_BRIDGE", "1")
        .env("GTK_A11Y", "none")
        .env("GSETTINGS_BACKEND", "memory")
        // There is no graphics card either.
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
}
