//! Volumes that no random request names, and that have to be the same afterwards.

use crate::server::{TestServer, create, volume};
use regex::Regex;
use saddlebag_client::types;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// How many there are.
const COUNT: usize = 50;

/// The kept volumes, as the server shows them.
pub struct Kept {
    shown: BTreeMap<String, String>,
    external_ids: BTreeSet<String>,
}

impl Kept {
    /// Creates them: with and without mount options, secrets and parameters, a block device among them.
    pub async fn create(server: &TestServer) -> Self {
        for at in 0..COUNT {
            let mut wanted = volume(&id(at));
            wanted.requested_capacity_min = Some(4096);
            if at % 5 == 0 {
                let secret = ("password".to_owned(), format!("kept-{at}"));
                wanted.secrets = Some(types::SecretsRequest([secret].into()));
            }
            if at % 7 == 0 {
                wanted.parameters = Some([("mode".to_owned(), "750".to_owned())].into());
            }
            create(&server.client, wanted).await.unwrap();
        }
        let (mut shown, mut external_ids) = (BTreeMap::new(), BTreeSet::new());
        for at in 0..COUNT {
            shown.insert(id(at), show(server, &id(at)).await);
            external_ids.insert(server.read(&id(at)).await.unwrap().external_id);
        }
        Self {
            shown,
            external_ids,
        }
    }

    /// What names them at the driver.
    pub fn external_ids(&self) -> impl Iterator<Item = String> {
        self.external_ids.iter().cloned()
    }

    /// Fails unless each of them is shown byte for byte as it was, but for its `ModifyIndex`: a rotation of
    /// keys encrypts its secrets anew.
    pub async fn assert_unchanged(&self, server: &TestServer) {
        for (id, before) in &self.shown {
            assert_eq!(
                unindexed(&show(server, id).await),
                unindexed(before),
                "{id}"
            );
        }
    }
}

fn unindexed(shown: &str) -> String {
    static INDEX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""ModifyIndex":\d+"#).unwrap());
    INDEX.replace(shown, "").into_owned()
}

fn id(at: usize) -> String {
    format!("kept-{at:02}")
}

async fn show(server: &TestServer, id: &str) -> String {
    let path = format!("/v1/volume/csi/{id}");
    let answer = server.http.get(server.at(&path)).send().await.unwrap();
    let status = answer.status();
    format!("{status} {}", answer.text().await.unwrap())
}
