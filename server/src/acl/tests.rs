//! What policies say, against a small evaluator of the same rules; and texts that are none.

use super::{Access, Granted, Rules};
use crate::mangled::{assert_linear, texts};
use proptest::prelude::*;

fn granted(policies: &[&str]) -> Access {
    let rules: Vec<Rules> = policies
        .iter()
        .map(|text| Rules::parse(text).unwrap())
        .collect();
    Access::Granted(Granted::of(&rules))
}

#[test]
fn hcl_in_all_its_spellings_and_json_say_the_same() {
    let one = Rules::parse(r#"namespace "default" { policy = "read" } plugin { policy = "list" }"#);
    for text in [
        "namespace \"default\" {\n  policy = \"read\"\n}\n# plugins\nplugin {\n  policy = \"list\"\n}\n",
        r#"namespace default { "policy" = "read" }, plugin = { policy: "list" }"#,
        r#"{"namespace": {"default": {"policy": "read"}}, "plugin": {"policy": "list"}}"#,
        r#"{"Namespace": [{"default": [{"Policy": "read"}]}], "plugin": [{"policy": "list"}]}"#,
    ] {
        assert_eq!(Rules::parse(text), one, "{text}");
    }
}

#[test]
fn what_is_wrong_with_rules_is_told_in_nomads_words() {
    for (text, problem) in [
        (
            r#"plugin { policy = "sing" }"#,
            r#"Invalid plugin policy: &acl.PluginPolicy{Policy:"sing"}"#,
        ),
        (
            r#"node { policy = "scale" }"#,
            r#"Invalid node policy: &acl.NodePolicy{Policy:"scale"}"#,
        ),
        (
            r#"namespace "a b" { policy = "read" }"#,
            r#"Invalid namespace name: &acl.NamespacePolicy{Name:"a b", Policy:"read", Capabilities:[]string(nil), Variables:(*acl.VariablesPolicy)(nil)}"#,
        ),
        (
            r#"host_volume "v" { capabilities = ["fly"] }"#,
            r#"Invalid host volume capability 'fly': &acl.HostVolumePolicy{Name:"v", Policy:"", Capabilities:[]string{"fly"}}"#,
        ),
        ("", "Invalid policy: "),
        (
            r#"namespac "x" {}"#,
            "Failed to parse ACL Policy: At 1:1: `namespac` is not a key of a policy: did you mean `namespace`?",
        ),
        (
            r#"namespace "x" { any = 1 }"#,
            "Failed to parse ACL Policy: At 1:17: `any` is not a key of `namespace \"x\"`: it has to be one of policy, capabilities",
        ),
        (
            r#"plugin "x""#,
            "Failed to parse ACL Policy: At 1:11: a block is expected behind its label: { … }",
        ),
        (
            r#"plugin { policy = "read" } plugin { policy = "deny" }"#,
            "Failed to parse ACL Policy: At 1:28: `plugin` is given a second time",
        ),
    ] {
        assert_eq!(Rules::parse(text).unwrap_err(), problem, "{text}");
    }
}

#[test]
fn the_word_for_any_capability_can_be_granted_by_nobody() {
    Rules::parse(r#"namespace "default" { capabilities = ["any"] }"#).unwrap_err();
    let nothing = granted(&[r#"namespace "default" { policy = "list" }"#]);
    assert!(!nothing.in_namespace("default", &["any"]));
    let something = granted(&[r#"namespace "default" { capabilities = ["csi-register-plugin"] }"#]);
    assert!(something.in_namespace("default", &["any"]));
}

#[test]
fn a_policy_is_shown_as_nomad_shows_it() {
    let text = r#"namespace "default" { policy = "read" }"#;
    let recorded = serde_json::json!({
        "Agent": null, "ExtraKeysHCL": null, "HostVolumes": null,
        "Namespaces": [{
            "Capabilities": [
                "list-jobs", "parse-job", "read-job", "csi-list-volume", "csi-read-volume", "read-job-scaling",
                "list-scaling-policies", "read-scaling-policy", "host-volume-read"
            ],
            "Name": "default", "Policy": "read", "Variables": null
        }],
        "Node": null, "NodePools": null, "Operator": null, "Plugin": null, "Quota": null,
        "Raw": text, "Sentinel": null
    });
    assert_eq!(Rules::parse(text).unwrap().to_json(text), recorded);
}

/// A rule for a name or glob, and what it allows.
type Rule = (String, Vec<&'static str>);

const CAPABILITIES: [&str; 3] = ["csi-read-volume", "csi-write-volume", "deny"];

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let words = prop::sample::subsequence(CAPABILITIES.to_vec(), 0..=2);
    prop::collection::vec(("[ab*]{1,4}", words), 1..6)
}

/// Whether a glob stands for a name, by its definition.
fn stands_for(glob: &str, name: &str) -> bool {
    let pattern = glob.replace('*', ".*");
    regex::Regex::new(&format!("^{pattern}$"))
        .unwrap()
        .is_match(name)
}

/// What the rules allow, by their definition: those of the exact name, or else those of the glob whose stars stand for
/// the fewest characters, the last of equals; nothing if one of them denies.
fn allows(rules: &[Rule], namespace: &str, capability: &str) -> bool {
    let exact = rules.iter().any(|(name, _)| name == namespace);
    let mut globs: Vec<&String> = rules
        .iter()
        .map(|(name, _)| name)
        .filter(|name| name.contains('*') && stands_for(name, namespace))
        .collect();
    globs.sort_by_key(|glob| {
        let letters = glob.chars().filter(|c| *c != '*').count();
        (letters, (*glob).clone())
    });
    let chosen = match (exact, globs.last()) {
        (true, _) => namespace.to_owned(),
        (false, Some(glob)) => (*glob).clone(),
        (false, None) => return false,
    };
    let of_it = || {
        rules
            .iter()
            .filter(|(name, _)| *name == chosen)
            .flat_map(|(_, words)| words)
    };
    of_it().any(|word| *word == capability) && !of_it().any(|word| *word == "deny")
}

proptest! {
    #[test]
    fn what_is_allowed_is_what_the_definition_says(rules in rules(), namespace in "[ab]{1,4}") {
        let texts: Vec<String> = rules
            .iter()
            .map(|(name, words)| format!("namespace {name:?} {{ capabilities = {words:?} }}"))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let access = granted(&texts);
        for capability in ["csi-read-volume", "csi-write-volume"] {
            prop_assert_eq!(
                access.in_namespace(&namespace, &[capability]),
                allows(&rules, &namespace, capability)
            );
        }
    }
}

const POLICY: &str = "namespace \"team-*\" {\n  policy = \"write\"\n  capabilities = [\"csi-mount-volume\"]\n  variables { path \"a/*\" { capabilities = [\"read\"] } }\n}\nplugin { policy = \"read\" }\n";
const IN_JSON: &str =
    r#"{"namespace": {"default": [{"policy": "read"}]}, "agent": {"policy": "\u0072ead"}}"#;

#[test]
fn a_hundred_thousand_mangled_policies_are_read_or_refused() {
    let (mut read, mut refused) = (0, 0);
    for text in texts(&[POLICY, IN_JSON, "quota { policy = <<A\nread\nA\n}"], 200) {
        match Rules::parse(&text) {
            Ok(rules) => {
                assert_eq!(rules.to_json(&text)["Raw"], text);
                read += 1;
            }
            Err(why) => {
                assert!(
                    why.contains("olicy") || why.contains("nvalid"),
                    "{text:?}: {why}"
                );
                refused += 1;
            }
        }
    }
    assert!(read > 1_000 && refused > 10_000, "{read} {refused}");
}

#[test]
fn a_long_policy_costs_no_more_than_its_length() {
    for shape in [
        ("", POLICY, ""),
        ("", "namespace \"a\" { policy = \"read\" }\n", ""),
        ("namespace ", "a ", "{}"),
        ("", "{", ""),
        ("plugin = [", "[", ""),
        ("plugin = [", "{ policy = \"read\" },", "]"),
        ("\"", "\\\"", ""),
        ("", "/*", ""),
        ("", "# \n", ""),
        ("", "k", ""),
        ("", "k", " = 1"),
        ("plugin { policy = <<A\n", "B\n", "A\n}"),
        (
            "namespace \"a\" { capabilities = [",
            "\"csi-list-volume\", ",
            "] }",
        ),
        (
            "namespace \"a\" { variables { ",
            "path \"p\" { capabilities = [\"read\"] } ",
            "} }",
        ),
    ] {
        assert_linear(50, shape, |text| {
            let _ = Rules::parse(text);
        });
    }
}
