//! Turns `openapi.yaml` into Rust, before anything else compiles.
//!
//! ```text
//! openapi.yaml --+--> $OUT_DIR/client.rs      typed client   (progenitor)
//!                `--> $OUT_DIR/operations.rs  route table    (ours; the server matches on it)
//! ```
#![allow(clippy::unwrap_used)] // a build script that fails should fail loudly
use openapiv3::OpenAPI;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    let document = Path::new("openapi.yaml");
    println!("cargo::rerun-if-changed={}", document.display());
    let spec: OpenAPI = yaml_serde::from_str(&fs::read_to_string(document).unwrap()).unwrap();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());

    let tokens = progenitor::Generator::default()
        .generate_tokens(&spec)
        .unwrap();
    fs::write(
        out.join("client.rs"),
        prettyplease::unparse(&syn::parse2(tokens).unwrap()),
    )
    .unwrap();
    fs::write(out.join("operations.rs"), operations(&spec)).unwrap();
}

/// One enum variant per operation in the document, so the server can match exhaustively.
fn operations(spec: &OpenAPI) -> String {
    let mut rows = vec![];
    for (path, item) in &spec.paths.paths {
        for (method, op) in item.as_item().unwrap().iter() {
            let id = op.operation_id.clone().unwrap();
            let variant: String = id
                .split('_')
                .map(|w| w[..1].to_uppercase() + &w[1..])
                .collect();
            rows.push((variant, method.to_uppercase(), path.clone(), id));
        }
    }
    let mut s =
        String::from("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum Operation {\n");
    for (v, m, p, _) in &rows {
        s += &format!("    /// `{m} {p}`\n    {v},\n");
    }
    s += "}\nimpl Operation {\n    pub const ALL: &'static [Operation] = &[";
    for (v, ..) in &rows {
        s += &format!("Operation::{v}, ");
    }
    s += "];\n    pub const fn method(self) -> &'static str { match self {";
    for (v, m, ..) in &rows {
        s += &format!(" Operation::{v} => \"{m}\",");
    }
    s += " } }\n    pub const fn path(self) -> &'static str { match self {";
    for (v, _, p, _) in &rows {
        s += &format!(" Operation::{v} => \"{p}\",");
    }
    s += " } }\n}\n";
    s
}
