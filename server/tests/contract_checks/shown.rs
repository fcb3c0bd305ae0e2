//! What the document shows is enough, and fits what it says.
use super::document;
use super::examples::{DOCUMENT, all, case, lines};
use saddlebag::http::contract::examples::{Case, Unable, failures, shown, uncovered, unshown};

#[test]
fn operations_need_a_success_and_a_failure() {
    let document = document(DOCUMENT);
    let excused = [("get_volume", "it is only a sample")];
    assert_eq!(lines(&uncovered(&document, &all(), &excused)), [""; 0]);
    assert_eq!(
        lines(&uncovered(&document, &all(), &[])),
        ["get_volume: no example shows it fail"]
    );
    let only_reads = [case("get_volume/reads")];
    assert_eq!(
        lines(&uncovered(&document, &only_reads, &excused)),
        [
            "put_volume: no example shows it succeed",
            "put_volume: no example shows it fail"
        ]
    );
    let stale = [excused[0], ("put_volume", "why"), ("gone", "left")];
    assert_eq!(
        lines(&uncovered(&document, &all(), &stale)),
        [
            "put_volume: listed as unable to fail, yet an example shows it fail",
            "gone: listed as unable to fail (left), but there is no such operation"
        ]
    );
}

#[test]
fn every_status_is_shown_or_cannot_be() {
    let document = document(DOCUMENT);
    let unable = |status, operations| Unable {
        status,
        operations,
        reason: "it takes a defect",
    };
    assert_eq!(lines(&unshown(&document, &all(), &[])), [""; 0]);
    let fewer: Vec<Case> = all()
        .into_iter()
        .filter(|it| it.example.status < 400)
        .collect();
    assert_eq!(
        lines(&unshown(&document, &fewer, &[])),
        ["put_volume: no example shows its status 400"]
    );
    for excused in [&["put_volume"][..], &[]] {
        let excuse = [unable("400", excused)];
        assert_eq!(lines(&unshown(&document, &fewer, &excuse)), [""; 0]);
        assert_eq!(
            lines(&unshown(&document, &all(), &excuse)),
            [
                "put_volume: listed as unable to have 400 (it takes a defect), yet an example shows it"
            ]
        );
    }
    assert_eq!(
        lines(&unshown(&document, &all(), &[unable("418", &[])])),
        ["no operation has the status 418 that [] are listed as unable to have"]
    );
}

#[test]
fn values_that_the_document_shows_fit_their_schemas() {
    let problems = |from: &str, to: &str| {
        assert_eq!(DOCUMENT.matches(from).count(), 1, "`{from}` stands once");
        lines(&shown(&document(&DOCUMENT.replace(from, to))))
    };
    assert_eq!(lines(&shown(&document(DOCUMENT))), [""; 0]);
    assert_eq!(
        problems("value: { ID: db, Size: 1 }", "value: { ID: db, Size: big }"),
        [
            r#"get_volume: response 200 application/json / example db / Size: "big" is not of type "integer""#
        ]
    );
    assert_eq!(
        problems("value: { ID: db, Size: 1 }", "value: { Id: db }"),
        [
            r#"get_volume: response 200 application/json / example db / Id: "db" is not allowed here"#
        ]
    );
    assert_eq!(
        problems("example: 7", "example: seven"),
        [
            r#"get_volume: response 200 header X-Nomad-Index / example: "seven" is not of type "integer""#
        ]
    );
    assert_eq!(
        problems("example: 5", "example: 5.5"),
        [r#"schema Volume / Size / example: 5.5 is not of type "integer""#]
    );
    assert_eq!(
        problems(
            "schema: { type: string }, example: db",
            "schema: { type: string }, example: 1"
        ),
        [
            r#"get_volume: parameter path id / example: 1 is not of type "string""#,
            r#"put_volume: parameter path id / example: 1 is not of type "string""#,
        ]
    );
    let request =
        "content: { application/json: { schema: { $ref: \"#/components/schemas/Volume\" } } }";
    assert_eq!(
        problems(
            request,
            &request.replace("\" } } }", "\" }, example: { size: 1 } } }")
        ),
        ["put_volume: request application/json / example / size: 1 is not allowed here"]
    );
    assert_eq!(
        problems(
            "{ value: { ID: db, Size: 1 } }",
            "{ externalValue: elsewhere }"
        ),
        ["get_volume: response 200 application/json / example db: it has no `value`"]
    );
}

#[test]
fn failures_that_the_document_shows_are_found_once() {
    let failure = "application/json: { schema: {}, examples: { no: { value: { code: no } } } }";
    let shown = DOCUMENT.replace("text/plain: { schema: { type: string } }", failure);
    let document = document(&shown);
    let found = failures(&document);
    let [(place, value)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(place, "put_volume: response 400 / example no");
    assert_eq!(value["code"], "no");
}
