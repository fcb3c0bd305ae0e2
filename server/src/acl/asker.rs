//! On whose behalf something is done, for the records of it: a request and all that it awaits belong to whoever asked.
//!
//! What goes on without a request, in workers, is done on nobody's behalf; it records nobody.

use super::{ANONYMOUS, Caller, Who};
use std::borrow::Cow;

tokio::task_local! {
    static ASKER: Cow<'static, str>;
}

/// Does something on a caller's behalf.
pub async fn on_behalf_of<F: Future>(caller: &Caller, doing: F) -> F::Output {
    let name = match &caller.who {
        Who::Token(token) => token.row.accessor.clone().into(),
        Who::Anybody | Who::Anonymous => ANONYMOUS.into(),
    };
    ASKER.scope(name, doing).await
}

/// On whose behalf this is done: the accessor of a token, or `anonymous`.
pub fn asker() -> String {
    let named = ASKER.try_with(|asker| asker.clone().into_owned());
    named.unwrap_or_else(|_| ANONYMOUS.to_owned())
}
