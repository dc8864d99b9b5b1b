//! What SMS and voice have in common: Twilio's REST API of 2010-04-01, as
//! <https://www.twilio.com/docs/usage/api> describes it. Its POSTs are not idempotent.

mod account;
mod answer;
mod outcome;

use reqwest::{Method, Url};

pub use account::Account;
pub(crate) use account::is_sid;
pub(crate) use answer::{created, price, refused};
pub(crate) use outcome::outcome;
pub use outcome::{Outcome, State};

use crate::http::{Answer, Request, call};
use crate::{SendError, http};

/// For a person.
const WHO: &str = "Twilio";

/// POSTs a form to a resource of the account, such as `Messages.json`.
pub(crate) async fn post(
    account: &Account,
    resource: &str,
    form: &[(&str, &str)],
) -> Result<Answer, SendError> {
    // The serializer must not be held while we wait: it keeps the future on one thread.
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let kind = "application/x-www-form-urlencoded".to_owned();
    call(Request {
        method: Method::POST,
        url: resource_url(account, resource)?,
        headers: vec![
            ("content-type", kind),
            ("accept", "application/json".into()),
        ],
        body: Some(body.into_bytes()),
        ..base(account)?
    })
    .await
}

/// GETs an address of the account.
pub(crate) async fn get(account: &Account, url: Url) -> Result<Answer, SendError> {
    call(Request {
        url,
        headers: vec![("accept", "application/json".into())],
        ..base(account)?
    })
    .await
}

/// The address of a resource of the account.
pub(crate) fn resource_url(account: &Account, resource: &str) -> Result<Url, SendError> {
    let sid = &account.account_sid;
    let path = format!("/2010-04-01/Accounts/{sid}/{resource}");
    base_url(account)?
        .join(&path)
        .map_err(|error| SendError::broken("config", format!("base_url: {error}")))
}

fn base(account: &Account) -> Result<Request<'_>, SendError> {
    Ok(Request {
        method: Method::GET,
        url: base_url(account)?,
        who: WHO,
        basic: Some((account.user(), account.secret.reveal())),
        headers: Vec::new(),
        body: None,
        pin: None,
        ca_pem: None,
        timeout_s: account.timeout_s,
    })
}

fn base_url(account: &Account) -> Result<Url, SendError> {
    http::url(&account.base_url, "base_url").map_err(|words| SendError::broken("config", words))
}
