//! Lists page by page, and reads as they change.

use crate::{Error, Failure, ResponseValue, types};
use futures::{Stream, stream};
use std::future::Future;

/// Every page of a list, one after the other, until the last one or a failure. `request` gets the token to continue at.
///
/// ```no_run
/// # use saddlebag_client::{Client, Failure, pages};
/// # async fn example(client: Client) -> Result<(), Failure> {
/// use futures::TryStreamExt as _;
///
/// let mut volumes = std::pin::pin!(pages(|token| {
///     let page = client.list_volumes().type_("csi").per_page(100);
///     match token {
///         Some(token) => page.next_token(token).send(),
///         None => page.send(),
///     }
/// }));
/// while let Some(page) = volumes.try_next().await? {
///     for volume in page {
///         println!("{}", volume.id);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn pages<T, Sent>(
    request: impl FnMut(Option<String>) -> Sent,
) -> impl Stream<Item = Result<Vec<T>, Failure>>
where
    Sent: Future<Output = Result<ResponseValue<Vec<T>>, Error<types::Error>>>,
{
    stream::try_unfold(
        (request, Some(None)),
        |(mut request, token): (_, Option<Option<String>>)| async move {
            let Some(token) = token else {
                return Ok(None);
            };
            let page = request(token).await?;
            let next = header(&page, "x-nomad-nexttoken").map(Some);
            Ok(Some((page.into_inner(), (request, next))))
        },
    )
}

/// What a read answered, and the index that it answered at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// The newest change to anything that the value shows.
    pub index: u64,
    /// The answer.
    pub value: T,
}

/// What a read answers now, and then each time it changes, until a failure. `request` gets the index to wait for, 0 at first;
/// a wait that ended without a change is begun anew. No change is missed, but of several in quick succession only the last may
/// be seen.
///
/// ```no_run
/// # use saddlebag_client::{Client, Failure, watch};
/// # async fn example(client: Client) -> Result<(), Failure> {
/// use futures::TryStreamExt as _;
///
/// let read = |index| client.read_volume().volume_id("pgdata").index(index).send();
/// let mut changes = std::pin::pin!(watch(read));
/// while let Some(seen) = changes.try_next().await? {
///     println!("{}: schedulable={}", seen.index, seen.value.schedulable);
/// }
/// # Ok(())
/// # }
/// ```
pub fn watch<T, Sent>(
    request: impl FnMut(u64) -> Sent,
) -> impl Stream<Item = Result<Seen<T>, Failure>>
where
    Sent: Future<Output = Result<ResponseValue<T>, Error<types::Error>>>,
{
    stream::try_unfold((request, 0), |(mut request, last)| async move {
        loop {
            let answer = request(last).await?;
            let index = header(&answer, "x-nomad-index")
                .and_then(|index| index.parse().ok())
                .ok_or_else(|| Failure::Unexpected("it has no X-Nomad-Index".to_owned()))?;
            if index != last {
                let value = answer.into_inner();
                return Ok(Some((Seen { index, value }, (request, index))));
            }
        }
    })
}

fn header<T>(response: &ResponseValue<T>, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}
