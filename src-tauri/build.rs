//! Compiles the Tauri configuration, the page and the list of commands into the shell.

/// Every command the page may call; `capabilities/main.json` allows exactly these.
const COMMANDS: &[&str] = &["api", "subscribe", "unsubscribe", "export", "cancel_export"];

fn main() {
    // The page is embedded in the binary: a new build of it must make a new shell.
    println!("cargo:rerun-if-changed=../ui/dist");
    println!("cargo:rerun-if-changed=../icons");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    let windows = tauri_build::WindowsAttributes::new().window_icon_path("../icons/icon.ico");
    let attributes = tauri_build::Attributes::new()
        .app_manifest(manifest)
        .windows_attributes(windows);
    if let Err(error) = tauri_build::try_build(attributes) {
        eprintln!("tauri-build failed: {error:#}");
        std::process::exit(1);
    }
}
