//! What is told of specifications that are wrong.

use super::parse;

/// What is told of a text, as `LINE:COLUMN: message`.
fn told(text: &str, extension: &str) -> String {
    let problem = parse(text, Some(extension)).expect_err(text);
    problem.of("f").to_string()["f:".len()..].to_owned()
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_would_be_right() {
    for (text, expected) in [
        (
            "id = \"a\"\nplugin = \"b\"",
            "2:1: `plugin` is not a key of a volume: did you mean `plugin_id`?",
        ),
        (
            "capabilty {}",
            "1:1: `capabilty` is not a key of a volume: did you mean `capability`?",
        ),
        (
            "zzzzzzzz = 1",
            "1:1: `zzzzzzzz` is not a key of a volume: it has to be one of id, name,",
        ),
        (
            "capability {\n  mode = \"x\"\n}",
            "2:3: `mode` is not a key of a capability: ",
        ),
        (
            "capability {\n  access_mode = \"single-node-wirter\"\n}",
            "2:17: \"single-node-wirter\" is not an access mode: did you mean `single-node-writer`?",
        ),
        (
            "capability { attachment_mode = \"filesystem\" }",
            "1:32: \"filesystem\" is not an attachment mode: did you mean `file-system`?",
        ),
        (
            "\ncapability { access_mode = \"single-node-writer\" }",
            "2:1: this capability has no attachment_mode, such as \"file-system\"",
        ),
        (
            "mount_options { fstyp = \"ext4\" }",
            "1:17: `fstyp` is not a key of mount_options: did you mean `fs_type`?",
        ),
        (
            "mount_options { mount_flags = \"ro\" }",
            "1:31: a list is needed here, such as [\"noatime\"], not text",
        ),
        (
            "mount_options {}\nmount_options {}",
            "2:1: `mount_options` is given a second time; the first is in line 1",
        ),
        (
            "id = \"a\"\nid = \"b\"",
            "2:1: `id` is given a second time; the first is in line 1",
        ),
        (
            "secrets { a = \"x\" }\nsecrets { a = \"y\" }",
            "2:11: `a` is given a second time",
        ),
        (
            "capacity_min = \"ten\"",
            "1:16: \"ten\" is not a size: write a number and a unit",
        ),
        (
            "type = \"host\"",
            "1:8: `host` volumes belong to Nomad's own agents",
        ),
        (
            "type = \"nfs\"",
            "1:8: \"nfs\" is no type of volume: write type = \"csi\"",
        ),
        (
            "id = pgdata",
            "1:6: text stands in quotes: \"…\"; there are no variables",
        ),
        ("id = var.name", "1:6: text stands in quotes"),
        (
            "secrets_from { a { path = \"/s\" } }",
            "1:20: `path` is not a key of `secrets_from`: it has to be one of file, env, credential",
        ),
        (
            "secrets_from { a { file = \"/s\" env = \"S\" } }",
            "1:18: one place is needed, such as { file = ",
        ),
        ("secrets_from { a {} }", "1:18: one place is needed"),
        (
            "secrets_from { a = \"/s\" }",
            "1:20: `a` is a block with keys and values, not text",
        ),
        (
            "secrets_from { a { env = \"S\" } a { env = \"T\" } }",
            "1:32: `a` is given a second time",
        ),
        (
            "secrets_from { a { env = \"S\" Env = \"T\" } }",
            "1:30: `Env` is given a second time",
        ),
        (
            "id = 10GiB",
            "1:6: this is no number: text stands in quotes",
        ),
        (
            "id \"a\" {}",
            "1:4: a block of a specification has no label",
        ),
        ("id", "1:1: `id` has no value: write id = \"…\""),
        ("id = ", "1:6: a value is expected here, but the text ends"),
        (
            "id = \"a\nname = \"b\"",
            "1:6: this text has no closing quote",
        ),
        ("id = \"\\q\"", "1:8: this escape is unknown"),
        (
            "id = \"\\ud83d!\"",
            "1:13: the second half of this character is missing",
        ),
        (
            "parameters {\n  a = \"b\"",
            "1:13: this block is not closed: a } is missing",
        ),
        (
            "mount_options { mount_flags = [\"a\" \"b\"] }",
            "1:36: a comma is missing between the items of this list",
        ),
        (
            "mount_options { mount_flags = [\"a\"",
            "1:31: this list is not closed: a ] is missing",
        ),
        ("/* no end", "1:1: this comment has no end: */"),
        ("id = <<EOF\nx\n", "1:6: text over several lines is <<WORD"),
        (
            "{\"id\": \"a\"} x",
            "1:13: nothing more is expected here, but there is 'x'",
        ),
        (
            "topology_request { requird {} }",
            "1:20: `requird` is not a key of a topology_request: did you mean `required`?",
        ),
        (
            "topology_request { required { topology { segment {} } } }",
            "1:42: `segment` is not a key of a topology: did you mean `segments`?",
        ),
        (
            "parameters = \"x\"",
            "1:14: `parameters` is a block with keys and values, not text",
        ),
        (
            "parameters { a = [1] }",
            "1:18: text is needed here, not a list",
        ),
        (
            "Volumes = {}",
            "1:11: `Volumes` is a list of volumes: [{…}]",
        ),
        (
            "Volumes = []\nVolume = 1",
            "2:1: `Volume` is not a key of a request: did you mean `Volumes`?",
        ),
        ("名 = 1", "1:1: `名` is not a key of a volume"),
    ] {
        let told = told(text, "hcl");
        assert!(
            told.starts_with(expected),
            "{text}\n  told {told}\n  not  {expected}"
        );
    }
}

#[test]
fn what_is_wrong_in_yaml_is_told_alike() {
    for (text, expected) in [
        (
            "id: a\nplugin: b",
            "2:1: `plugin` is not a key of a volume: did you mean `plugin_id`?",
        ),
        ("id: a\ncapacity_min: ten", "2:15: \"ten\" is not a size"),
        ("id: [a", "2:1: this is no YAML: "),
        ("- a", "1:1: a specification consists of keys with values"),
        (
            "id: &x a\nname: *x",
            "2:7: a specification takes no aliases",
        ),
        ("id: a\n---\nid: b", "3:1: one document is enough"),
        ("? [a]\n: b", "1:3: a key is plain text"),
    ] {
        let told = told(text, "yaml");
        assert!(
            told.starts_with(expected),
            "{text}\n  told {told}\n  not  {expected}"
        );
    }
}

#[test]
fn what_is_nested_too_deeply_is_refused_in_every_format() {
    let deep = |open: &str, close: &str| open.repeat(10_000) + &close.repeat(10_000);
    for (text, extension) in [
        (format!("mount_options = {}", deep("[", "]")), "hcl"),
        (deep("a {", "}"), "hcl"),
        (format!("a: {}", "[".repeat(100) + &"]".repeat(100)), "yaml"),
    ] {
        let told = told(&text, extension);
        assert!(told.contains("nested too deeply"), "{told}");
    }
}

#[test]
fn what_could_be_a_secret_is_not_repeated() {
    for text in [
        "secrets { password = hush }",
        "secrets { password = 1hush }",
        "secrets { password = [\"hush\"] }",
        "secrets { password = \"hush",
        "secrets = \"hush\"",
        "secrets { password = \"hush\\q\" }",
    ] {
        let told = told(text, "hcl");
        assert!(!told.contains("hush"), "{told}");
    }
}
