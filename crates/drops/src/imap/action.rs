//! Moving or deleting one mail, and never another one: no EXPUNGE without its UID.

use async_imap::error::Error;

use super::Config;
use super::connect::{failure, said as words_of};
use super::mailbox::{Mailbox, TALK_BYTES, utf7};
use crate::{After, SourceError};

/// Moves or deletes the mail; the inner error is the mail's own trouble, in words.
pub(super) async fn act(
    config: &Config,
    mailbox: &mut Mailbox,
    uid: u32,
) -> Result<Result<(), String>, SourceError> {
    let target = config.move_to.as_deref().unwrap_or("");
    let can = |name| mailbox.signed.capabilities.has_str(name);
    let (can_move, can_expunge) = (can("MOVE"), can("UIDPLUS"));
    let mut commands = Vec::new();
    match config.after {
        After::Keep => return Ok(Ok(())),
        After::Move if can_move => commands.push(format!("UID MOVE {uid} {}", quoted(target))),
        After::Move => commands.push(format!("UID COPY {uid} {}", quoted(target))),
        After::Delete => {}
    }
    if config.after == After::Delete || !can_move {
        commands.push(format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
        // Without UIDPLUS it stays, marked as deleted: EXPUNGE alone would take others' mails too.
        if can_expunge {
            commands.push(format!("UID EXPUNGE {uid}"));
        }
    }
    for command in commands {
        let steps = mailbox.signed.steps.clone();
        let session = &mut mailbox.signed.session;
        session.get_mut().allow(TALK_BYTES);
        let asking = session.run_command_and_check_ok(&command);
        match steps.within("moving or deleting", asking).await? {
            Ok(()) => {}
            Err(Error::No(said) | Error::Bad(said)) => {
                let what = match config.after {
                    After::Move => format!("it could not be moved to {target}"),
                    After::Delete | After::Keep => "it could not be deleted".to_owned(),
                };
                let words = format!(
                    "{what} ({}); check that the folder exists, and the rights",
                    words_of(&said)
                );
                return Ok(Err(words));
            }
            Err(other) => return Err(failure(&steps, other)),
        }
    }
    Ok(Ok(()))
}

/// A folder's name as a quoted string.
fn quoted(folder: &str) -> String {
    let name = utf7(folder).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{name}\"")
}
