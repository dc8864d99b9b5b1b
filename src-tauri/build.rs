//! Compiles the Tauri configuration into the shell.

fn main() {
    tauri_build::build();
}
