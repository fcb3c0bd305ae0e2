//! The rows of the store as a schema, for reviewers: a change of what is stored is seen here, and an
//! older file has to be read all the same. `EXPECTORATE=overwrite cargo test` accepts a change.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use saddlebag::acl::{Bootstrap, Policy, Role, Token};
use saddlebag::attachment::Attachment;
use saddlebag::claim::Claim;
use saddlebag::namespace::NamespaceRow;
use saddlebag::node::Node;
use saddlebag::operation::Operation;
use saddlebag::plugin::{Instance, PluginJob};
use saddlebag::seal::DataKey;
use saddlebag::volume::{Backing, Volume};
use schemars::{JsonSchema, SchemaGenerator};

/// Every kind of row. Nothing makes this value; its schema is what counts.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Rows {
    volume: Volume,
    backing: Backing,
    claim: Claim,
    attachment: Attachment,
    operation: Operation,
    instance: Instance,
    job: PluginJob,
    node: Node,
    namespace: NamespaceRow,
    token: Token,
    policy: Policy,
    role: Role,
    bootstrap: Bootstrap,
    data_key: DataKey,
}

#[test]
fn what_is_stored_is_what_reviewers_saw() {
    let schema = SchemaGenerator::default().into_root_schema_for::<Rows>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap();
    text.push('\n');
    expectorate::assert_contents("tests/format/rows.json", &text);
}
