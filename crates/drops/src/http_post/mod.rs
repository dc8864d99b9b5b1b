//! How USALive's HTTP transport posts a file, as one public program shows it: the name is the last
//! segment of the path, there is no Content-Type, and a test call carries `reason=TEST`. Pure
//! functions; the route itself belongs to the server.

mod config;
mod name;

pub use config::Config;
pub use name::{file_name, is_test_call};

use crate::Tested;

pub(crate) fn test(config: &Config) -> Tested {
    Tested {
        message: format!(
            "Waiting for posts from {}. \"Test Transport\" in USALive calls us; here there is \
             nothing to connect to",
            config.user
        ),
        ..Tested::default()
    }
}
