//! Specifications that are nearly right.

use super::parse;
use super::tests::{FULL, FULL_IN_YAML};
use crate::hcl::Problem;
use crate::mangled::{assert_linear, texts};

const IN_JSON: &str = r#"{"Volumes": [{"ID": "a", "PluginID": "local", "RequestedCapacityMin": 1e3,
  "RequestedCapabilities": [{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}],
  "MountOptions": {"MountFlags": ["ro"]}, "Secrets": null, "Topologies": [{"Segments": {"zone": "\u0061"}}]}]}"#;

/// Feeds many texts to the reader of this notation, of which so many at least are to be understood.
fn feed(whole: &[&str], extension: &str, understood: usize) {
    let (mut read, mut refused) = (0, 0);
    for text in texts(whole, 300) {
        match parse(&text, Some(extension)) {
            Ok(_) => read += 1,
            Err(Problem { place, message }) => {
                assert!(!message.is_empty());
                if let Some(place) = place {
                    // The end of a text may be told as the beginning of the line after it.
                    let lines = text.matches('\n').count() + 2;
                    assert!((1..=lines).contains(&place.line), "{text:?}: {place:?}");
                    assert!(place.column >= 1, "{text:?}: {place:?}");
                }
                refused += 1;
            }
        }
    }
    assert!(
        read >= understood && refused >= 10_000,
        "{extension}: {read} {refused}"
    );
}

#[test]
fn a_hundred_thousand_mangled_specifications_in_hcl_are_read_or_refused() {
    let pieces: Vec<&str> = FULL.split_inclusive('\n').collect();
    feed(&pieces, "hcl", 1_000);
}

#[test]
fn a_hundred_thousand_mangled_specifications_in_json_are_read_or_refused() {
    feed(&[IN_JSON, "{\"id\": \"a\"}"], "json", 1_000);
}

#[test]
fn a_hundred_thousand_mangled_specifications_in_yaml_are_read_or_refused() {
    let pieces: Vec<&str> = FULL_IN_YAML.split_inclusive('\n').collect();
    feed(&pieces, "yaml", 1_000);
}

#[test]
fn a_long_specification_costs_no_more_than_its_length() {
    for (extension, head, unit, tail) in [
        ("hcl", "", FULL, ""),
        ("hcl", "", "{", ""),
        ("hcl", "id = ", "[", ""),
        ("hcl", "id = \"", "\\n", "\""),
        ("hcl", "", "/* */ ", ""),
        ("hcl", "", "k", " = 1"),
        ("hcl", "mount_options { mount_flags = [", "\"ro\",", "] }"),
        ("hcl", "", "secrets { a = \"b\" }\n", ""),
        (
            "hcl",
            "",
            "capability { access_mode = \"single-node-writer\" attachment_mode = \"file-system\" }\n",
            "",
        ),
        ("hcl", "id = <<-A\n", " B\n", " A\n"),
        ("hcl", "capacity_min = \"", "1,", "\""),
        ("json", "{\"Volumes\": [", "{\"ID\": \"a\"},", "{}]}"),
        ("json", "{\"Volumes\": ", "[", ""),
        ("yaml", "", "- ", ""),
        ("yaml", "volumes:\n", "- {id: a}\n", ""),
        ("yaml", "", "[", ""),
        ("yaml", "", "{a: ", ""),
        ("yaml", "id: \"", "\\n", "\""),
        ("yaml", "id: ", "a ", ""),
        ("yaml", "id: ", "a\n ", ""),
        ("yaml", "", "# \n", "id: a"),
        ("yaml", "secrets:\n", " ", "a: b"),
        ("yaml", "", "? ", ""),
        ("yaml", "", "&a ", "b"),
        ("yaml", "id: |\n", " a\n", ""),
    ] {
        assert_linear(50, (head, unit, tail), |text| {
            let _ = parse(text, Some(extension));
        });
    }
}
