//! The desktop app `vendlog`. Placeholder.

fn main() {
    tauri::Builder::default()
        .run(tauri::generate_context!())
        .expect("the window system must start");
}
