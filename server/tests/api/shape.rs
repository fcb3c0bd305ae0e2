//! Check 2 of the contract: what the handlers declare is what the document says.

use saddlebag::http::contract::compare::compare;
use saddlebag::http::contract::document::Document;
use saddlebag::http::declared;

#[test]
fn what_the_handlers_declare_is_what_the_document_says() {
    let document = Document::parse(saddlebag_client::DOCUMENT).unwrap();
    let declared = serde_json::to_value(declared::document()).unwrap();
    let declared = Document::from_value(declared).unwrap();
    let differences = compare(&document, &declared);
    let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} differences:\n{}",
        lines.len(),
        lines.join("\n")
    );
}
