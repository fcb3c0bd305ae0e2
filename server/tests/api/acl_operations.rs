//! Every operation of the document against every kind of token: it is denied exactly when the document says so.
//!
//! What a kind of token may do is written down here a second time, from Nomad's tables, and not asked of the server.

use crate::asker::{ask, client, guarded, policy, token};
use saddlebag_client::operations::{
    AgentPolicy, Checked, NodePolicy, Operation, PluginPolicy, TokenNeeded,
};
use serde_json::{Value, json};

const UNKNOWN: &str = "11111111-2222-3333-4444-555555555555";

/// A kind of token: its policies, and what they allow in namespace `default`, on plugins and nodes.
struct Kind {
    name: &'static str,
    policies: &'static [(&'static str, &'static str)],
    default: &'static [&'static str],
    plugin: &'static [PluginPolicy],
    node: &'static [NodePolicy],
    agent: &'static [AgentPolicy],
}

const NS_READ: (&str, &str) = ("ns-read", r#"namespace "default" { policy = "read" }"#);
const NS_WRITE: (&str, &str) = ("ns-write", r#"namespace "default" { policy = "write" }"#);
const NS_DENY: (&str, &str) = ("ns-deny", r#"namespace "default" { policy = "deny" }"#);
const NS_SCALE: (&str, &str) = ("ns-scale", r#"namespace "default" { policy = "scale" }"#);
const PLUGIN_READ: (&str, &str) = ("plugin-read", r#"plugin { policy = "read" }"#);
const PLUGIN_LIST: (&str, &str) = ("plugin-list", r#"plugin { policy = "list" }"#);
const PLUGIN_WRITE: (&str, &str) = ("plugin-write", r#"plugin { policy = "write" }"#);
const PLUGIN_DENY: (&str, &str) = ("plugin-deny", r#"plugin { policy = "deny" }"#);
const CSI_LIST: (&str, &str) = (
    "csi-list",
    r#"namespace "default" { capabilities = ["csi-list-volume"] }"#,
);
const CSI_READ: (&str, &str) = (
    "csi-read",
    r#"namespace "default" { capabilities = ["csi-read-volume"] }"#,
);
const CSI_WRITE: (&str, &str) = (
    "csi-write",
    r#"namespace "default" { capabilities = ["csi-write-volume"] }"#,
);
const CSI_MOUNT: (&str, &str) = (
    "csi-mount",
    r#"namespace "default" { capabilities = ["csi-mount-volume"] }"#,
);
const CSI_REGISTER: (&str, &str) = (
    "csi-register",
    r#"namespace "default" { capabilities = ["csi-register-plugin"] }"#,
);
const GLOB_READ: (&str, &str) = ("glob-read", r#"namespace "te*" { policy = "read" }"#);
const GLOB_WIDE: (&str, &str) = (
    "glob-wide",
    r#"namespace "de*" { policy = "deny" } namespace "d*" { policy = "write" }"#,
);
const NODE_READ: (&str, &str) = ("node-read", r#"node { policy = "read" }"#);
const NODE_WRITE: (&str, &str) = ("node-write", r#"node { policy = "write" }"#);
const AGENT_READ: (&str, &str) = ("agent-read", r#"agent { policy = "read" }"#);
const OLD: (&str, &str) = (
    "old-words",
    r#"namespace "default" { capabilities = ["csi-access", "csi-read-plugin", "csi-list-plugin"] }"#,
);

const READING: &[&str] = &[
    "csi-list-volume",
    "csi-read-volume",
    "list-jobs",
    "read-job",
];
const WRITING: &[&str] = &[
    "csi-list-volume",
    "csi-read-volume",
    "list-jobs",
    "read-job",
    "submit-job",
    "csi-mount-volume",
    "csi-write-volume",
];
const MAY_READ: &[PluginPolicy] = &[PluginPolicy::List, PluginPolicy::Read];
const MAY_LIST: &[PluginPolicy] = &[PluginPolicy::List];

const NOTHING: Kind = Kind {
    name: "of policies that are not there",
    policies: &[],
    default: &[],
    plugin: &[],
    node: &[],
    agent: &[],
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    NOTHING,
    Kind { name: "ns read", policies: &[NS_READ], default: READING, ..NOTHING },
    Kind { name: "ns write", policies: &[NS_WRITE], default: WRITING, ..NOTHING },
    Kind { name: "ns scale", policies: &[NS_SCALE], default: &["read-job"], ..NOTHING },
    Kind { name: "ns read + deny", policies: &[NS_READ, NS_DENY], ..NOTHING },
    Kind { name: "plugin read", policies: &[PLUGIN_READ], plugin: MAY_READ, ..NOTHING },
    Kind { name: "plugin list", policies: &[PLUGIN_LIST], plugin: MAY_LIST, ..NOTHING },
    Kind { name: "plugin write", policies: &[PLUGIN_WRITE], ..NOTHING },
    Kind { name: "plugin read + write", policies: &[PLUGIN_READ, PLUGIN_WRITE], ..NOTHING },
    Kind { name: "plugin read + deny", policies: &[PLUGIN_READ, PLUGIN_DENY], ..NOTHING },
    Kind { name: "csi-list-volume", policies: &[CSI_LIST], default: &["csi-list-volume"], ..NOTHING },
    Kind { name: "csi-read-volume", policies: &[CSI_READ], default: &["csi-read-volume"], ..NOTHING },
    Kind { name: "csi-write-volume", policies: &[CSI_WRITE], default: &["csi-write-volume"], ..NOTHING },
    Kind { name: "csi-mount-volume", policies: &[CSI_MOUNT], default: &["csi-mount-volume"], ..NOTHING },
    Kind { name: "csi-register-plugin", policies: &[CSI_REGISTER], default: &["csi-register-plugin"], ..NOTHING },
    Kind { name: "csi-write-volume + plugin read", policies: &[CSI_WRITE, PLUGIN_READ], default: &["csi-write-volume"], plugin: MAY_READ, ..NOTHING },
    Kind { name: "csi-mount-volume + plugin read", policies: &[CSI_MOUNT, PLUGIN_READ], default: &["csi-mount-volume"], plugin: MAY_READ, ..NOTHING },
    Kind { name: "ns write + plugin list", policies: &[NS_WRITE, PLUGIN_LIST], default: WRITING, plugin: MAY_LIST, ..NOTHING },
    Kind { name: "ns read + plugin read", policies: &[NS_READ, PLUGIN_READ], default: READING, plugin: MAY_READ, ..NOTHING },
    Kind { name: "ns write + plugin read", policies: &[NS_WRITE, PLUGIN_READ], default: WRITING, plugin: MAY_READ, ..NOTHING },
    Kind { name: "glob read elsewhere", policies: &[GLOB_READ], ..NOTHING },
    Kind { name: "closest glob denies", policies: &[GLOB_WIDE], ..NOTHING },
    Kind { name: "node read", policies: &[NODE_READ], node: &[NodePolicy::Read], ..NOTHING },
    Kind { name: "node write", policies: &[NODE_WRITE], node: &[NodePolicy::Read, NodePolicy::Write], ..NOTHING },
    Kind { name: "agent read", policies: &[AGENT_READ], agent: &[AgentPolicy::Read], ..NOTHING },
    Kind { name: "words of old pages", policies: &[OLD], default: &["csi-access", "csi-read-plugin", "csi-list-plugin"], ..NOTHING },
];

impl Kind {
    /// Whether an operation is allowed to it, in namespace `default`, about nothing of its own.
    fn may(&self, operation: Operation) -> bool {
        let needed = operation.capability();
        // Operations of all namespaces count where anything does.
        let elsewhere: &[&str] = match (self.name, operation) {
            ("glob read elsewhere", Operation::ListOperations | Operation::Doctor) => READING,
            // An id that no operation has is looked for everywhere.
            ("glob read elsewhere", Operation::ReadOperation) => READING,
            ("closest glob denies", Operation::ListOperations | Operation::Doctor) => WRITING,
            ("closest glob denies", _)
                if needed.checked == Some(Checked::Volume) && operation.tag() == "operations" =>
            {
                WRITING
            }
            _ => self.default,
        };
        let in_namespace = needed.namespace.iter().any(|word| match *word {
            "any" => !elsewhere.is_empty(),
            word => elsewhere.contains(&word),
        });
        (needed.namespace.is_empty() || in_namespace)
            && needed
                .plugin
                .is_none_or(|policy| self.plugin.contains(&policy))
            && needed.node.is_none_or(|policy| self.node.contains(&policy))
            && needed
                .agent
                .is_none_or(|policy| self.agent.contains(&policy))
            && !matches!(
                needed.token,
                Some(TokenNeeded::Own | TokenNeeded::Management)
            )
    }
}

/// A request for an operation that changes nothing whoever sends it, and that can be understood.
fn request(operation: Operation) -> (String, Option<Value>) {
    let mut path = operation.path().to_owned();
    for (name, value) in [
        ("plugin_id", "nope"),
        ("volume_id", "nope"),
        ("alloc_id", UNKNOWN),
        ("node_id", UNKNOWN),
        ("job_id", "nope"),
        ("operation_id", UNKNOWN),
        ("accessor_id", UNKNOWN),
        ("policy_name", "nope"),
        ("role_id", UNKNOWN),
        ("key_id", UNKNOWN),
        ("role_name", "nope"),
        ("namespace_name", "default"),
    ] {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    assert!(
        !path.contains('{'),
        "the test has no value for a part of {path}"
    );
    path.push_str("?type=csi&plugin_id=nope&snapshot_id=nope&node=nope&reason=test&wait=10ms");
    let volumes = json!({ "Volumes": [{ "ID": "nope" }] });
    let body = match operation {
        Operation::RegisterVolumes
        | Operation::RegisterVolumesByPost
        | Operation::RegisterVolume
        | Operation::CreateVolume => Some(volumes),
        _ => matches!(operation.method(), "PUT" | "POST").then(|| json!({})),
    };
    (path, body)
}

fn is_denied(status: u16, answer: &Value) -> bool {
    (status, answer["code"].as_str()) == (403, Some("permission_denied"))
}

#[tokio::test]
async fn an_operation_is_denied_exactly_when_the_document_says_so() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    // Something has to be there for a glob to be about.
    let made = management
        .create_namespace()
        .body_map(|body| body.name("team".to_owned()));
    made.send().await.unwrap();
    let mut wrong = Vec::new();
    let mut told = |kind: &str, operation: Operation, may: bool, status: u16, answer: &Value| {
        if is_denied(status, answer) == may {
            let expected = if may { "allowed" } else { "denied" };
            wrong.push(format!(
                "{kind}: {} was to be {expected}: {status} {answer}",
                operation.id()
            ));
        }
    };
    for operation in Operation::ALL {
        let (path, body) = request(*operation);
        let (status, answer) = ask(
            &server,
            operation.method(),
            &path,
            Some(&secret),
            body.as_ref(),
        )
        .await;
        told("management", *operation, true, status, &answer);
        let (status, answer) = ask(
            &server,
            operation.method(),
            &path,
            Some(UNKNOWN),
            body.as_ref(),
        )
        .await;
        let needed = operation.capability();
        let free = needed.namespace.is_empty()
            && needed.plugin.is_none()
            && needed.node.is_none()
            && needed.agent.is_none()
            && needed.token.is_none()
            && *operation != Operation::ReadOwnToken;
        told("unknown", *operation, free, status, &answer);
    }
    for kind in KINDS {
        for (name, rules) in kind.policies {
            policy(&management, name, rules).await;
        }
        let names: Vec<&str> = kind.policies.iter().map(|(name, _)| *name).collect();
        let names = if names.is_empty() {
            vec!["not-there"]
        } else {
            names
        };
        let own = token(&management, &names).await;
        for operation in Operation::ALL {
            let (path, body) = request(*operation);
            let secret = Some(own.secret_id.as_str());
            let (status, answer) =
                ask(&server, operation.method(), &path, secret, body.as_ref()).await;
            told(kind.name, *operation, kind.may(*operation), status, &answer);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
