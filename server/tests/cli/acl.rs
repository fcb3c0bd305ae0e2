//! Access control and namespaces, from the first token on.

use crate::story::Story;
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_said_about_tokens_policies_and_namespaces_is_as_in_a_file() {
    let story = Story::begin_with(&["--acl-enabled"]).await;
    story.write(
        "readers.hcl",
        "namespace \"team\" { policy = \"read\" }\nplugin { policy = \"list\" }\n",
    );
    story.write("bad.hcl", "plugin { policy = \"sing\" }\n");
    let first = story.told(&["acl", "bootstrap", "--json"]).await;
    let first: Value = serde_json::from_str(&first).unwrap();
    let secret = first["SecretID"].as_str().unwrap();
    let mut text = String::new();
    for line in [
        "volume list",
        "namespace list",
        "acl token list",
        "acl token self",
    ] {
        text += &story.piped(&[line]).await;
    }
    let as_management = |line: &str| format!("{line} --token {secret}");
    for line in [
        "acl token self",
        "acl policy list",
        "acl policy apply --description looking readers readers.hcl",
        "acl policy apply bad bad.hcl",
        "acl policy apply none no-such.hcl",
        "acl policy list",
        "acl policy list --quiet",
        "acl policy info readers",
        "acl policy info nope",
        "acl role list",
        "acl role create --name operators --description together --policy readers",
        "acl role create --name operators --policy readers",
        "acl role create --name others --policy nope",
        "acl role update --description apart operators",
        "acl role update --name crew operators",
        "acl role list",
        "acl role list --quiet",
        "acl role info crew",
        "acl role info operators",
        "acl token create --name ann --policy readers",
        "acl token create --name ci --type management --ttl 8h",
        "acl token create --name nobody",
        "acl token create --policy readers --role-name nope",
        "acl token list",
        "acl token info nope",
        "acl token update --name nobody nope",
        "acl token delete nope",
        "namespace apply --description teamwork team",
        "namespace apply --description renewed team",
        "namespace apply a_team",
        "namespace list",
        "namespace list --quiet te",
        "namespace status team",
        "namespace status nope",
        "namespace delete default",
        "namespace delete team",
        "namespace delete team",
        "acl role delete crew",
        "acl role delete crew",
        "acl policy delete readers",
    ] {
        text += &story.piped(&[&as_management(line)]).await;
    }
    expectorate::assert_contents("tests/cli/acl.txt", &text);
    story.dev.stop().await;
}

#[tokio::test]
async fn a_token_that_was_made_may_do_what_its_policy_says_until_it_is_deleted() {
    let story = Story::begin_with(&["--acl-enabled"]).await;
    let chosen = "11111111-2222-4333-8444-555555555555";
    story.write("secret", &format!("{chosen}\n"));
    story.told(&["acl", "bootstrap", "secret"]).await;
    let management = ["--token", chosen];
    let told = async |args: &[&str]| story.told(&[args, &management].concat()).await;
    story.write("readers.hcl", "plugin { policy = \"list\" }\n");
    told(&["acl", "policy", "apply", "readers", "readers.hcl"]).await;
    let made = told(&["acl", "token", "create", "--policy", "readers", "--json"]).await;
    let made: Value = serde_json::from_str(&made).unwrap();
    let (accessor, secret) = (
        made["AccessorID"].as_str().unwrap(),
        made["SecretID"].as_str().unwrap(),
    );
    let list = ["plugin", "list", "--quiet", "--token", secret];
    assert_eq!(story.told(&list).await, "local\n");
    let denied = story
        .run(&["plugin", "status", "local", "--token", secret])
        .await;
    assert_eq!(denied.code, Some(1));
    assert!(denied.stderr.contains("Permission denied"), "{denied:?}");
    let listed = told(&["acl", "token", "list", "--quiet"]).await;
    assert!(listed.lines().any(|line| line == accessor), "{listed}");
    told(&[
        "acl", "role", "create", "--name", "team", "--policy", "readers",
    ])
    .await;
    let update = ["acl", "token", "update", accessor, "--json"];
    let updated = async |more: &[&str]| -> Value {
        serde_json::from_str(&told(&[&update, more].concat()).await).unwrap()
    };
    let named = updated(&["--name", "ann"]).await;
    assert_eq!(
        (&named["Name"], &named["Policies"]),
        (&json!("ann"), &json!(["readers"]))
    );
    let joined = updated(&["--role-name", "team"]).await;
    assert_eq!(
        (&joined["Name"], &joined["Policies"]),
        (&json!("ann"), &json!(["readers"]))
    );
    assert_eq!(joined["Roles"][0]["Name"], "team");
    let mighty = updated(&["--type", "management"]).await;
    assert_eq!(
        (&mighty["Policies"], &mighty["Roles"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        story
            .run(&["acl", "token", "list", "--token", secret])
            .await
            .code,
        Some(0)
    );
    told(&["acl", "token", "delete", accessor]).await;
    assert_eq!(story.run(&list).await.code, Some(1));
    story.dev.stop().await;
}

#[tokio::test]
async fn while_access_control_is_off_the_commands_say_how_to_switch_it_on() {
    let story = Story::begin().await;
    let said = story.run(&["acl", "token", "list"]).await;
    assert_eq!(said.code, Some(1));
    for part in [
        "ACL support disabled",
        "acl.enabled",
        "saddlebag dev --acl-enabled",
    ] {
        assert!(said.stderr.contains(part), "{said:?}");
    }
    let own = story.told(&["acl", "token", "self"]).await;
    assert!(own.contains("acls-disabled"), "{own}");
    story.dev.stop().await;
}
