//! The list of tokens.

use super::tokens::{policies, roles};
use super::{caught_up, must_be_on};
use crate::acl::Token;
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::http::declared::{
    Blocking, Crowded, Filtered, List, Page, Pages, Prefix, Read, ReadErrors, TokenFilter,
};
use crate::http::edge::{Query, ReadOptions, spelling};
use crate::http::filtering;
use crate::http::front::Asking;
use crate::http::reply::{Reply, encoded};
use crate::http::wire;
use crate::picture;
use crate::state::{State, Stored};
use crate::store::Index;
use std::cmp::Ordering;

#[utoipa::path(
    get, path = "/v1/acl/tokens", tag = "acl",
    params(Prefix, TokenFilter, Filtered, Pages, Blocking, Read),
    responses(Page<List<wire::TokenStub<'static>>>, ReadErrors, Crowded),
)]
pub(in crate::http) async fn list_tokens(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let only_global = only_global(asking.query)?;
    must_be_on(cp)?;
    let filter = filtering::filter(asking.query)?;
    let (state, caller) = caught_up(cp, asking, &options, newest).await?;
    if !caller.access.is_everything() {
        return Err(Fault::PermissionDenied.into());
    }
    let place = Place::of(&options);
    let mut tokens: Vec<_> = state
        .tokens()
        .filter(|token| token.row.accessor.starts_with(&options.prefix))
        .filter(|token| token.row.global || !only_global)
        .filter(|token| place.is_reached(token))
        .collect();
    tokens.sort_by(|one, other| place.order(one, other));
    let mut page = Vec::new();
    let mut next = None;
    for token in tokens {
        let stub = picture::encode(&stub(&state, token));
        if !filtering::shows(filter.as_ref(), &stub[..])? {
            continue;
        }
        if page.len() == options.page_size() {
            next = Some(place.token(token));
            break;
        }
        page.push(stub);
    }
    Ok(encoded(picture::array(page))
        .at(newest(&state))
        .next_page(next.as_deref()))
}

/// The newest commit to what the list shows: tokens, and the names of their roles.
fn newest(state: &State) -> Index {
    state.tokens_index().max(state.roles_index())
}

/// Whether only tokens of every region are asked for.
fn only_global(query: &Query<'_>) -> Result<bool, Fault> {
    let Some(text) = query.filled("global") else {
        return Ok(false);
    };
    spelling::boolean(text).ok_or_else(|| {
        Fault::Malformed(format!(
            "Failed to parse value of \"global\" ({text}) as a bool: strconv.ParseBool: parsing {text:?}: invalid syntax"
        ))
    })
}

/// In which order tokens are listed, and where a page begins: as Nomad's, by when they were made, or by accessor where a
/// prefix is asked for.
struct Place<'o> {
    by_accessor: bool,
    reverse: bool,
    first: Option<(u64, &'o str)>,
}

impl<'o> Place<'o> {
    fn of(options: &'o ReadOptions) -> Self {
        let by_accessor = !options.prefix.is_empty();
        let token = options.next_token.as_str();
        let first = match (token.split_once('.'), by_accessor) {
            _ if token.is_empty() => None,
            (Some((made, accessor)), false) => Some((made.parse().unwrap_or(0), accessor)),
            _ => Some((0, token)),
        };
        Self {
            by_accessor,
            reverse: options.reverse,
            first,
        }
    }

    /// By what tokens are in order.
    fn key<'t>(&self, token: &'t Stored<Token>) -> (u64, &'t str) {
        let made = if self.by_accessor { 0 } else { token.created.0 };
        (made, &token.row.accessor)
    }

    fn order(&self, one: &Stored<Token>, other: &Stored<Token>) -> Ordering {
        let order = self.key(one).cmp(&self.key(other));
        if self.reverse { order.reverse() } else { order }
    }

    /// Whether a token is not before the page.
    fn is_reached(&self, token: &Stored<Token>) -> bool {
        self.first.is_none_or(|first| match self.reverse {
            false => self.key(token) >= first,
            true => self.key(token) <= first,
        })
    }

    /// What leads to a page that begins here.
    fn token(&self, token: &Stored<Token>) -> String {
        let (made, accessor) = self.key(token);
        match self.by_accessor {
            true => accessor.to_owned(),
            false => format!("{made}.{accessor}"),
        }
    }
}

fn stub<'a>(state: &'a State, stored: &'a Stored<Token>) -> wire::TokenStub<'a> {
    let row = &stored.row;
    wire::TokenStub {
        accessor_id: row.accessor.as_str().into(),
        create_index: stored.created.0,
        create_time: row.created_at,
        expiration_time: row.expires_at,
        global: row.global,
        hash: Some(row.fingerprint().into()),
        modify_index: stored.modified.0,
        name: row.name.as_str().into(),
        policies: policies(row),
        roles: roles(state, row),
        kind: row.kind.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::http::edge::{Query, ReadOptions};
    use crate::mangled::{assert_linear, texts};

    /// Where a page begins by this token, and by the one that leads to there again.
    fn places(options: &mut ReadOptions, token: &str) -> [Option<(u64, String)>; 2] {
        let mut place = |token: &str| {
            options.next_token = token.to_owned();
            let first = Place::of(options).first;
            first.map(|(made, accessor)| (made, accessor.to_owned()))
        };
        let first = place(token);
        let again = first
            .as_ref()
            .map(|(made, accessor)| format!("{made}.{accessor}"));
        let again = place(&again.unwrap_or_default());
        [first, again]
    }

    #[test]
    fn a_hundred_thousand_mangled_page_tokens_each_name_one_place() {
        let mut options = ReadOptions::read(&Query::parse(None), "global").unwrap();
        let whole = [
            "12.4f2d1c9e-8a67-4d3b-9a55-0c6f1d2e3b4a",
            "18446744073709551616.x",
            "abc",
            ".",
        ];
        for text in texts(&whole, 60) {
            let [first, again] = places(&mut options, &text);
            assert_eq!(first, again, "{text:?}");
            assert_eq!(first.is_none(), text.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_long_page_token_costs_no_more_than_its_length() {
        let options = ReadOptions::read(&Query::parse(None), "global").unwrap();
        for shape in [("", "9", "."), ("1.", "a.", ""), ("", "\u{e9}", "")] {
            assert_linear(1_000, shape, |text| {
                places(&mut options.clone(), text);
            });
        }
    }
}
