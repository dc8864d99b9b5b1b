//! The demo's machine without WiFi: a real agent on the port of a simulated card reader, and a
//! simulated USALive that posts what the reader uploads to the product.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::children::Children;
use crate::demo::{CELL_MACHINE, Demo, TIMEZONE, write_private};
use crate::run::FAULTS;
use crate::say::say;
use crate::shell::{binary, command, feed, read};

/// The user that USALive signs in with.
const USER: &str = "usalive";
/// Of a real machine it is an hour; nobody waits that long in front of a demo.
const SEND_INTERVAL_S: u32 = 60;
/// What a drop a minute takes in a month, with room; a real plan has 1 to 2 MB.
const MONTHLY_BUDGET_BYTES: u64 = 50_000_000;
/// Now and then a drop gets lost or comes twice, so that there is something to see.
const FAULTS_ON_THE_WAY: [&str; 6] = ["--delay", "3s", "--loss", "0.05", "--double", "0.05"];

/// Starts it all against the product at `url`.
///
/// # Errors
/// Something cannot be started, or the product does not take the source.
pub fn start(children: &mut Children, demo: &Demo, url: &str, pin: &str) -> Result<()> {
    let password = source(demo)?;
    let (folder, sim) = (demo.cell(), binary("vendlog-sim"));
    let (log, port, uploads) = (
        folder.join("last_tx_log.log"),
        folder.join("ttyUSB0"),
        folder.join("uploads"),
    );

    let mut app = command(
        &sim,
        &["app", "--live", "--timezone", TIMEZONE, "--faults", FAULTS],
    );
    app.args(["--seed", "6", "--log"]).arg(&log);
    if !log.exists() {
        app.args(["--from-ago", "1h"]);
    }
    children.start_quiet(
        "the application without WiFi",
        app,
        &demo.log_of("cell-app"),
    )?;

    let mut reader = command(&sim, &["reader", "--uploads"]);
    reader.arg(&uploads).arg("--link").arg(&port);
    children.start_quiet(
        "the simulated card reader",
        reader,
        &demo.log_of("cell-reader"),
    )?;

    let toml = folder.join("agent.toml");
    fs::write(&toml, configuration(&folder, &log, &port))
        .context("cannot write the configuration of the agent without WiFi")?;
    let mut agent = command(binary("vendlog-agent"), &["run", "--config"]);
    agent.arg(&toml);
    children.start_quiet("the agent without WiFi", agent, &demo.log_of("cell-agent"))?;

    let address = url.trim_start_matches("https://");
    let http = format!("https://{USER}:{password}@{address}/api/drops");
    let mut usalive = command(
        &sim,
        &["usalive", "--pin", pin, "--http", &http, "--uploads"],
    );
    usalive.arg(&uploads).args(FAULTS_ON_THE_WAY);
    children.start_quiet(
        "the simulated USALive",
        usalive,
        &demo.log_of("cell-usalive"),
    )?;
    say(
        "demo",
        format!("{CELL_MACHINE} has no WiFi: a drop a minute through a simulated card reader"),
    );
    Ok(())
}

/// Has the product take drops from USALive; its password, which is kept between runs.
fn source(demo: &Demo) -> Result<String> {
    let file = demo.usalive_password();
    let listed = read(demo.server_command(&["source", "list"]))?;
    let is_known = listed.contains(&format!("\"{USER}\""));
    if !file.exists() {
        if is_known {
            bail!(
                "the password of the demo's USALive is gone; remove the source USALive in the \
                 product, or {}",
                demo.root().display()
            );
        }
        write_private(&file, &random())?;
    }
    let password = fs::read_to_string(&file).context("the password of the demo's USALive")?;
    if !is_known {
        let config =
            format!("{{\"kind\":\"http\",\"user\":\"{USER}\",\"password\":\"{password}\"}}");
        feed(demo.server_command(&["source", "add", "USALive"]), &config)?;
        say("demo", "added the source USALive");
    }
    Ok(password)
}

/// 32 hex digits that nobody guesses; good enough for a demo on this computer.
fn random() -> String {
    // Each has keys from the system's source of chance.
    let number = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", number(), number())
}

fn configuration(folder: &Path, log: &Path, port: &Path) -> String {
    format!(
        "machine_id = {CELL_MACHINE:?}\nstate_dir = {:?}\n\n\
         [[input]]\nkind = \"file\"\npath = {log:?}\nformat = \"python\"\n\
         timezone = {TIMEZONE:?}\npack = \"soap\"\n\n\
         [local]\npath = {:?}\n\n\
         [eport]\nenabled = true\nmode = \"serial\"\nport = {port:?}\n\
         send_interval_s = {SEND_INTERVAL_S}\nmonthly_budget_bytes = {MONTHLY_BUDGET_BYTES}\n",
        folder.join("state"),
        folder.join("vending_machine.log"),
    )
}
