//! `cargo xtask run`: builds and starts the product with a small fleet, and ends it all on Ctrl-C.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::children::Children;
use crate::demo::{AGENT_MACHINE, Demo, TIMEZONE, text_of};
use crate::say::{duration, say};
use crate::setup::For;
use crate::shell::{binary, cargo, command, must};
use crate::{cell, setup, ui};

/// The product's own port; another one is taken when it is in use.
const ADDRESS: &str = "127.0.0.1:4433";
/// Everything that can go wrong with the simulated application, for a log worth looking at.
pub const FAULTS: &str = "silent-reader,link,motor,crash-loop,lost-payment";

/// What was asked for.
pub struct Options {
    empty: bool,
    headless: bool,
}

impl Options {
    /// Reads the flags; `None` when one is not known.
    pub fn parse(flags: &[&str]) -> Option<Options> {
        let mut options = Options {
            empty: false,
            headless: false,
        };
        for flag in flags {
            match *flag {
                "--empty" => options.empty = true,
                "--headless" => options.headless = true,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Sets up, builds, starts, and waits.
///
/// # Errors
/// Something cannot be installed, built or started.
pub fn run(options: Options) -> Result<()> {
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    let headless = options.headless || (cfg!(target_os = "linux") && !has_display);
    if headless && !options.headless {
        say("run", "there is no display: starting as a server");
    }
    setup::all(if headless {
        For::Headless
    } else {
        For::Desktop
    })?;
    ui::build()?;
    build(headless)?;

    let demo = Demo::open(if options.empty { "empty" } else { "demo" })?;
    say(
        "demo",
        format!("lies in {}, kept between runs", demo.root().display()),
    );
    let mut children = Children::new()?;
    let (url, pin) = start_product(&mut children, &demo, headless)?;
    if !options.empty {
        // Through the running product, as an operator adds machines.
        let is_new = demo.add_machines()?;
        start_fleet(&mut children, &demo, &url, &pin, is_new)?;
        if cfg!(unix) {
            cell::start(&mut children, &demo, &url, &pin)?;
        }
        let logs = demo.root().join("logs");
        say("demo", format!("their messages are in {}", logs.display()));
    }
    say("run", format!("agents deliver to {url}"));
    say("run", "Ctrl-C ends everything");
    children.wait();
    say("run", "ending");
    Ok(())
}

fn build(headless: bool) -> Result<()> {
    let mut packages = vec!["central", "edge-agent", "sim"];
    if !headless {
        packages.push("src-tauri");
    }
    say("cargo", "building; the first time takes some minutes");
    let began = Instant::now();
    let mut arguments = vec!["build", "--bins"];
    for package in packages {
        arguments.extend(["--package", package]);
    }
    must(cargo(&arguments))?;
    say("cargo", format!("built in {}", duration(began.elapsed())));
    Ok(())
}

/// Starts the window or the server and waits for its address and pin.
fn start_product(children: &mut Children, demo: &Demo, headless: bool) -> Result<(String, String)> {
    let listen = match TcpListener::bind(ADDRESS) {
        Ok(_) => ADDRESS,
        Err(_) => {
            say("run", format!("{ADDRESS} is in use: taking another port"));
            "127.0.0.1:0"
        }
    };
    let name = if headless {
        "vendlog-server"
    } else {
        "vendlog"
    };
    let mut product: Command = command(binary(name), &["--listen", listen]);
    product
        .arg("--data")
        .arg(demo.data())
        .arg("--key-file")
        .arg(demo.key_file());
    if headless {
        product.arg("--signin-link");
    }
    let mut lines = BufReader::new(children.start_read(name, product)?).lines();
    let ready = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.contains("\"url\""))
        .with_context(|| format!("{name} ended before it was ready; its reason stands above"))?;
    let part = |key| {
        text_of(&ready, key)
            .map(str::to_owned)
            .with_context(|| format!("no {key}"))
    };
    let address = (part("url")?, part("pin")?);
    // Read on, so that it never blocks on a full pipe.
    std::thread::spawn(move || {
        lines
            .map_while(Result::ok)
            .for_each(|line| println!("{line}"))
    });
    Ok(address)
}

fn start_fleet(
    children: &mut Children,
    demo: &Demo,
    url: &str,
    pin: &str,
    is_new: bool,
) -> Result<()> {
    let sim = binary("vendlog-sim");
    let mut app = command(
        &sim,
        &["app", "--live", "--timezone", TIMEZONE, "--faults", FAULTS],
    );
    app.arg("--log").arg(demo.app_log());
    if !demo.app_log().exists() {
        app.args(["--from-ago", "6h"]);
    }
    children.start_quiet("the simulated application", app, &demo.log_of("sim-app"))?;

    demo.write_agent_toml(url, pin)?;
    let mut agent = command(binary("vendlog-agent"), &["run", "--config"]);
    agent.arg(demo.agent_toml());
    children.start_quiet("vendlog-agent", agent, &demo.log_of("agent"))?;

    let history = if is_new { "24h" } else { "0s" };
    let mut fleet = command(
        &sim,
        &["fleet", "--url", url, "--pin", pin, "--history", history],
    );
    fleet.arg("--keys").arg(demo.fleet_keys());
    children.start_quiet("the simulated fleet", fleet, &demo.log_of("sim-fleet"))?;
    say(
        "demo",
        format!("{AGENT_MACHINE} has a real agent; VM002 to VM005 are simulated"),
    );
    Ok(())
}
