//! `cargo xtask`: everything set up and started. Knows the tree and its tools, none of the product's
//! code; it speaks to the product's binaries as a user does.

mod bench;
mod cell;
mod children;
mod demo;
mod deny;
mod dictionaries;
mod package;
mod python;
mod run;
mod say;
mod setup;
mod shell;
mod test;
mod types;
mod ui;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
cargo xtask run [--empty] [--headless]   set everything up, build, and start the desktop app with a simulated
                                         fleet; --empty without the fleet; --headless (or without a display)
                                         as a server with a sign-in link
cargo xtask test                         set everything up, and run every check and test as CI does
cargo xtask bench [NAME]                 run the benchmarks, or one of them
cargo xtask package [--arch amd64|arm64] [--out DIR]
                                         the agent as Debian packages, in target/package
cargo xtask types                        make the API description and the UI's types anew
cargo xtask dictionaries                 make the dictionary that comes with the product anew
cargo xtask setup                        only install what is missing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// `None` when the words are no command.
fn dispatch(words: &[&str]) -> Option<Result<()>> {
    match words {
        ["run", flags @ ..] => Some(run::run(run::Options::parse(flags)?)),
        ["test"] => Some(test::run()),
        ["bench"] => Some(bench::run(None)),
        ["bench", name] => Some(bench::run(Some(name))),
        // What the tests of the packages ask for when they run without the rest.
        ["package", "--for-tests"] => Some(package::for_tests()),
        ["package", words @ ..] => Some(package::run(&package::Options::parse(words)?)),
        ["types"] => Some(types::write_anew()),
        ["dictionaries"] => Some(dictionaries::write_anew()),
        ["setup"] => Some(setup::all(setup::For::Test)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Some(Ok(()))
        }
        _ => None,
    }
}
