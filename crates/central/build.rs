//! Finds the built UI, or puts a page in its place that says how to build it, so that cargo works
//! before npm did.

use std::path::PathBuf;
use std::{env, fs, io};

const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Vendlog</title>\
<h1>The UI is not built</h1><p>Run <code>npm ci &amp;&amp; npm run build</code> in <code>ui/</code>, \
then build the server again. <code>cargo xtask run</code> does both. The API works without it.</p>";

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let built = here.join("../../ui/dist");
    // Cargo watches a directory only when it is there.
    fs::create_dir_all(&built)?;
    println!("cargo::rerun-if-changed={}", built.display());
    let served = if built.join("index.html").is_file() {
        built.canonicalize()?
    } else {
        let instead = out.join("ui-not-built");
        fs::create_dir_all(&instead)?;
        fs::write(instead.join("index.html"), NOT_BUILT)?;
        instead
    };
    println!("cargo::rustc-env=VENDLOG_UI_DIST={}", served.display());
    Ok(())
}
