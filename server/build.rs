//! Compiles the CSI protocol without needing `protoc` on the machine.
//!
//! Messages that carry something confidential get no derived `Debug`: `csi/redact.rs` writes one for
//! each of them. Which they are is read from the protocol itself, so that none can be forgotten.

use protox::prost_reflect::prost_types::MethodDescriptorProto;
use std::{env, fs, path::Path, process::Command};

/// Fields whose values are never shown: secrets, the publish context (drivers pass credentials in
/// it) and mount flags (which may hold a password).
const CONFIDENTIAL: &[&str] = &["secrets", "publish_context", "mount_flags"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    say_what_it_is_built_from()?;
    let files = protox::compile(["proto/csi.proto"], ["proto"])?;

    let mut confidential = Vec::new();
    for file in files.file.iter().filter(|file| file.package() == "csi.v1") {
        let mut messages: Vec<_> = file
            .message_type
            .iter()
            .map(|message| (message.name().to_owned(), message))
            .collect();
        while let Some((path, message)) = messages.pop() {
            if message
                .field
                .iter()
                .any(|field| CONFIDENTIAL.contains(&field.name()))
            {
                confidential.push(path.clone());
            }
            for nested in &message.nested_type {
                messages.push((format!("{path}.{}", nested.name()), nested));
            }
        }
    }
    confidential.sort();
    let list = Path::new(&env::var("OUT_DIR")?).join("confidential.rs");
    fs::write(list, format!("&{confidential:?}"))?;

    let calls = files
        .file
        .iter()
        .flat_map(|file| &file.service)
        .flat_map(|service| {
            let once = |method: &&MethodDescriptorProto| !method.server_streaming();
            service
                .method
                .iter()
                .filter(once)
                .map(move |method| question(service.name(), method))
        });
    let list = Path::new(&env::var("OUT_DIR")?).join("questions.rs");
    fs::write(list, calls.collect::<String>())?;

    let mut prost = tonic_prost_build::Config::new();
    prost.skip_debug(
        confidential
            .iter()
            .map(|message| format!(".csi.v1.{message}")),
    );
    tonic_prost_build::configure().compile_fds_with_config(files, prost)?;
    Ok(())
}

/// Says of the message that a call takes which call it is, and what answers it.
fn question(service: &str, method: &MethodDescriptorProto) -> String {
    let message = |name: &str| name.replace(".csi.v1.", "v1::");
    format!(
        "impl Question for {} {{ type Answer = {}; const PATH: &'static str = \"/csi.v1.{service}/{}\"; }}\n",
        message(method.input_type()),
        message(method.output_type()),
        method.name()
    )
}

/// What `saddlebag version --verbose` tells. No time and no folder: the same sources make the same program.
fn say_what_it_is_built_from() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-env-changed=SADDLEBAG_COMMIT");
    let rustc = Command::new(env::var("RUSTC")?).arg("--version").output()?;
    let features = env::vars().filter_map(|(name, _)| {
        let feature = name.strip_prefix("CARGO_FEATURE_")?;
        Some(feature.to_lowercase().replace('_', "-"))
    });
    let mut features: Vec<String> = features.collect();
    features.sort();
    for (name, value) in [
        ("TARGET", env::var("TARGET")?),
        ("PROFILE", env::var("PROFILE")?),
        ("RUSTC", String::from_utf8(rustc.stdout)?.trim().to_owned()),
        ("FEATURES", features.join(" ")),
        ("COMMIT", env::var("SADDLEBAG_COMMIT").unwrap_or_default()),
    ] {
        println!("cargo::rustc-env=SADDLEBAG_BUILT_{name}={value}");
    }
    Ok(())
}
