//! What a configuration from the server must leave as it is on the machine, and the files of the
//! agent's own that it must not have read or written. Its mistakes are found by `config`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::config::Config;

/// What of this the server's configuration breaks; `own` is the machine's own file.
pub(super) fn broken(new: &Config, own: &Config) -> Vec<String> {
    let mut broken = Vec::new();
    if new.machine_id != own.machine_id {
        broken.push(format!("machine_id must stay {}", own.machine_id));
    }
    if new.state_dir != own.state_dir {
        broken.push(format!("state_dir must stay {}", own.state_dir.display()));
    }
    // The agent appends to it, cuts and renames it: elsewhere it could be agent.toml or the key,
    // and no way back would mend them.
    if new.local.path != own.local.path {
        broken.push(format!("local.path must stay {}", own.local.path.display()));
    }
    match (&new.wifi, &own.wifi) {
        (None, _) => broken.push("[wifi] must be there and enabled".to_owned()),
        // The keys that the server has handed out belong to this file.
        (Some(new), Some(own)) if new.api_key_file != own.api_key_file => {
            let stays = own.api_key_file.display();
            broken.push(format!("wifi.api_key_file must stay {stays}"));
        }
        _ => {}
    }
    if !new.care.remote_config {
        broken.push("care.remote_config must stay true".to_owned());
    }
    let inputs = new.inputs.iter().flat_map(|input| input.own_paths());
    for path in inputs.filter(|path| is_private(path, own)) {
        let path = path.display();
        broken.push(format!(
            "input {path} is one of the agent's own files, which are no log"
        ));
    }
    broken
}

/// Whether it is in the state directory, or the key's file or one beside it of the same name and
/// more, by whatever links it is reached.
fn is_private(path: &Path, own: &Config) -> bool {
    let path = resolved(path);
    let is_key = own.wifi.as_ref().is_some_and(|wifi| {
        let key = resolved(&wifi.api_key_file);
        let name = |path: &Path| path.file_name().map(OsStr::as_bytes).map(<[u8]>::to_vec);
        let (Some(name), Some(of_key)) = (name(&path), name(&key)) else {
            return false;
        };
        path.parent() == key.parent() && name.starts_with(&of_key)
    });
    is_key || path.starts_with(resolved(&own.state_dir))
}

/// The path without links and `..`, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
        if let Ok(real) = fs::canonicalize(&whole) {
            whole = real;
        }
    }
    whole
}
