//! Lists of volumes the other way round.

use crate::server::{TestServer, create, volume};
use saddlebag::id::Namespace;

/// The ids of a list of all namespaces, page by page, as `next_token` leads from one to the next.
async fn pages(server: &TestServer, per_page: i32, reverse: bool) -> Vec<Vec<String>> {
    let mut pages = vec![];
    let mut token = None;
    loop {
        let mut list = server.client.list_volumes().type_("csi").namespace("*");
        list = list.per_page(per_page).reverse(reverse);
        if let Some(token) = &token {
            list = list.next_token(token);
        }
        let page = list.send().await.unwrap();
        let next = page.headers().get("X-Nomad-Nexttoken");
        token = next.map(|token| token.to_str().unwrap().to_owned());
        let ids = page.iter().map(|it| format!("{}.{}", it.namespace, it.id));
        pages.push(ids.collect());
        if token.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn pages_in_reverse_are_the_list_backwards_right_across_namespaces() {
    let server = TestServer::start_with(|config| {
        config.builtin_driver = true;
        config.namespaces = ["a-team", "z-team"].map(Namespace::known).into();
    })
    .await;
    for (namespace, id) in [
        ("a-team", "web"),
        ("default", "db"),
        ("default", "db-2"),
        ("z-team", "db"),
        ("z-team", "é"),
    ] {
        let mut volume = volume(id);
        volume.namespace = Some(namespace.to_owned());
        create(&server.client, volume).await.unwrap();
    }
    let mut forwards = pages(&server, 0, false).await.concat();
    assert_eq!(
        forwards,
        [
            "a-team.web",
            "default.db",
            "default.db-2",
            "z-team.db",
            "z-team.é"
        ]
    );
    forwards.reverse();
    for per_page in 0..=6 {
        let backwards = pages(&server, per_page, true).await;
        assert_eq!(backwards.concat(), forwards, "{per_page} a page");
        let most = usize::try_from(per_page).unwrap();
        assert!(most == 0 || backwards.iter().all(|page| page.len() <= most));
    }
}
