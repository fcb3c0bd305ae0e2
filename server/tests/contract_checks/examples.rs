//! Check 4, examples: cases are read, put in order, sent and judged; broken ones are named.
use super::document;
use axum::http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_TYPE};
use saddlebag::csi::Code;
use saddlebag::http::contract::{
    examples::{Answers, Case, Driver, cases, judge, plan, shown},
    validator::Problem,
};

pub const DOCUMENT: &str = r##"
openapi: 3.0.3
paths:
  /v1/volume/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string }, example: db }
    get:
      operationId: get_volume
      responses:
        "200":
          description: ok
          headers: { X-Nomad-Index: { schema: { type: integer }, example: 7 } }
          content:
            application/json:
              schema: { $ref: "#/components/schemas/Volume" }
              examples: { db: { value: { ID: db, Size: 1 } } }
      x-examples:
        - { name: reads, given: [{ operation: put_volume, case: creates }],
            request: { path: { id: db } }, status: 200, body: { ID: db } }
    put:
      operationId: put_volume
      parameters:
        - { name: dry, in: query, schema: { type: boolean } }
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/Volume" } } }
      responses:
        "200": { description: done }
        "400": { description: no, content: { text/plain: { schema: { type: string } } } }
      x-examples:
        - { name: creates, request: { path: { id: "a b" }, query: { dry: true },
            headers: { Accept: "*/*" }, body: { ID: db } }, status: 200, answer: { X-Nomad-Index: 41 } }
        - { name: updates, given: [{ operationId: put_volume, case: creates },
            { operation: get_volume, case: reads }], request: { path: { id: "{{put_volume/creates: /Index}}" },
            body: { Index: "{{put_volume/creates: /Index}}", Note: "at {{put_volume/creates: /Index}}" } }, status: 200 }
        - { name: refuses, request: { path: { id: db }, raw: "{" }, status: 400,
            message: unexpected EOF }
components:
  schemas:
    Volume:
      type: object
      properties:
        ID: { type: string, example: db }
        Size: { type: integer, example: 5 }
"##;

pub fn all() -> Vec<Case> {
    cases(&document(DOCUMENT)).unwrap()
}

pub fn case(name: &str) -> Case {
    let mut cases = all();
    cases.retain(|case| case.to_string() == name);
    cases.remove(0)
}

pub fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Changes one place of the document and expects these problems with its cases.
#[track_caller]
fn refused(from: &str, to: &str, problems: &[&str]) {
    assert_eq!(DOCUMENT.matches(from).count(), 1, "`{from}` stands once");
    let refusal = cases(&document(&DOCUMENT.replace(from, to))).unwrap_err();
    assert_eq!(lines(&refusal), problems);
}

#[test]
fn the_contract_has_only_sound_cases_and_values() {
    let contract = document(saddlebag_client::DOCUMENT);
    assert_eq!(lines(&cases(&contract).err().unwrap_or_default()), [""; 0]);
    assert_eq!(lines(&shown(&contract)), [""; 0]);
}

#[test]
fn a_case_runs_after_what_it_is_given_each_once() {
    let cases = all();
    let names = |of: &str| -> Vec<String> {
        let case = cases.iter().find(|case| case.to_string() == of).unwrap();
        plan(&cases, case).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        names("put_volume/updates"),
        [
            "put_volume/creates",
            "get_volume/reads",
            "put_volume/updates"
        ]
    );
    assert_eq!(names("put_volume/refuses"), ["put_volume/refuses"]);
}

#[test]
fn a_case_becomes_the_request_that_it_shows() {
    let request = case("put_volume/creates")
        .request("http://127.0.0.1:1", &Answers::default())
        .unwrap();
    assert_eq!(request.method(), "PUT");
    assert_eq!(request.uri(), "http://127.0.0.1:1/v1/volume/a%20b?dry=true");
    assert_eq!(request.headers()["accept"], "*/*");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.body(), r#"{"ID":"db"}"#);
}

#[test]
fn a_malformed_body_is_sent_as_it_is_and_named_nothing() {
    let request = case("put_volume/refuses")
        .request("http://127.0.0.1:1", &Answers::default())
        .unwrap();
    assert_eq!(request.body(), "{");
    assert!(request.headers().is_empty());
}

fn index(index: u64) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("x-nomad-index"), index.into())])
}

#[test]
fn what_an_answer_told_is_filled_into_later_requests() {
    let mut answers = Answers::default();
    let creates = case("put_volume/creates");
    let answer = br#"{"Index":41}"#;
    judge(&creates, &mut answers, StatusCode::OK, &index(41), answer).unwrap();
    let request = case("put_volume/updates")
        .request("http://h", &answers)
        .unwrap();
    assert_eq!(request.uri(), "http://h/v1/volume/41");
    assert_eq!(request.body(), r#"{"Index":41,"Note":"at 41"}"#);
    assert_eq!(
        case("put_volume/updates")
            .request("http://h", &Answers::default())
            .unwrap_err(),
        "nothing is known of the answer to put_volume/creates"
    );
}

/// What the judge says to an answer.
fn judged(name: &str, status: u16, content_type: &str, body: &str) -> Result<(), String> {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())]);
    let status = StatusCode::from_u16(status).unwrap();
    judge(
        &case(name),
        &mut Answers::default(),
        status,
        &headers,
        body.as_bytes(),
    )
}

#[test]
fn the_answer_that_is_shown_is_right() {
    judged(
        "get_volume/reads",
        200,
        "application/json",
        r#"{"ID":"db","Size":1}"#,
    )
    .unwrap();
    judged(
        "put_volume/refuses",
        400,
        "text/plain; charset=utf-8",
        "unexpected EOF",
    )
    .unwrap();
    judged(
        "put_volume/refuses",
        400,
        "application/json",
        r#"{"message":"unexpected EOF"}"#,
    )
    .unwrap();
}

#[test]
fn any_other_answer_is_wrong_and_both_are_named() {
    let wrong = |name, status, content_type, body| -> String {
        judged(name, status, content_type, body).unwrap_err()
    };
    let json = "application/json";
    assert_eq!(
        wrong("get_volume/reads", 404, json, "gone"),
        "get_volume/reads: the document shows 200, the server answered 404 Not Found: gone"
    );
    assert_eq!(
        wrong("get_volume/reads", 200, json, r#"{"ID":"web"}"#),
        r#"get_volume/reads: body / ID: the document shows "db", the server answered "web""#
    );
    assert_eq!(
        wrong("get_volume/reads", 200, json, r#"{"Id":"db"}"#),
        "get_volume/reads: body: the document shows `ID`, the answer lacks it"
    );
    assert_eq!(
        wrong("put_volume/refuses", 400, "text/plain", "EOF"),
        "put_volume/refuses: the document shows `unexpected EOF`, the server said `EOF`"
    );
    assert_eq!(
        wrong("put_volume/refuses", 400, json, "{}"),
        "put_volume/refuses: the refusal has no message: {}"
    );
    assert_eq!(
        wrong("put_volume/creates", 200, json, "{}"),
        "put_volume/creates: header X-Nomad-Index: the document shows `41`, the server answered `(none)`"
    );
}

#[test]
fn arrays_are_shown_whole() {
    let shown = DOCUMENT.replace(
        "body: { ID: db } }\n    put",
        "body: [{ ID: db }] }\n    put",
    );
    let case = cases(&document(&shown)).unwrap().remove(0);
    let answered = |body: &str| {
        let body = body.as_bytes();
        judge(
            &case,
            &mut Answers::default(),
            StatusCode::OK,
            &HeaderMap::new(),
            body,
        )
    };
    answered(r#"[{"ID":"db","Size":1}]"#).unwrap();
    answered(r#"[{"ID":"db"},{"ID":"web"}]"#).unwrap_err();
    assert_eq!(
        answered(r#"[{"ID":"web"}]"#).unwrap_err(),
        r#"get_volume/reads: body[0] / ID: the document shows "db", the server answered "web""#
    );
}

#[test]
fn cases_that_do_not_fit_their_operation_are_refused() {
    refused(
        "query: { dry: true }",
        "query: { wet: true }",
        &["put_volume/creates: the operation has no query parameter `wet`"],
    );
    refused(
        "request: { path: { id: db } }, status",
        "request: {}, status",
        &["get_volume/reads: path parameter `id` is missing"],
    );
    refused(
        "status: 400",
        "status: 418",
        &["put_volume/refuses: the operation has no status 418"],
    );
    refused(
        "raw: \"{\"",
        "raw: \"{\", body: {}",
        &["put_volume/refuses: it has both `body` and `raw`"],
    );
    refused(
        "body: { ID: db } }\n",
        "message: no }\n",
        &["get_volume/reads: `message` is the text of a refusal, and this is none"],
    );
    refused(
        "name: reads,",
        "name: reads, expect: 200,",
        &[
            "get_volume/reads: unknown field `expect`, expected one of `name`, `summary`, \
           `given`, `driver`, `acl`, `request`, `status`, `message`, `body`, `answer`",
        ],
    );
}

#[test]
fn a_case_says_what_the_driver_does() {
    let with = |driver: &str| {
        let with = format!("name: refuses, driver: {driver},");
        cases(&document(&DOCUMENT.replace("name: refuses,", &with)))
    };
    let driver = |driver: &str| with(driver).unwrap().remove(3).example.driver;
    assert_eq!(driver("gone"), Some(Driver::Gone));
    assert_eq!(driver("hangs"), Some(Driver::Hangs));
    assert_eq!(
        driver("{ refuses: { code: Unavailable, message: later } }"),
        Some(Driver::Refuses {
            code: Code::Unavailable,
            message: "later".into()
        })
    );
    assert_eq!(
        driver("{ announces: [CREATE_DELETE_VOLUME] }"),
        Some(Driver::Announces(vec!["CREATE_DELETE_VOLUME".into()]))
    );
    assert_eq!(
        lines(&with("sleeps").unwrap_err()),
        [
            "put_volume/refuses: unknown variant `sleeps`, expected one of \
             `refuses`, `announces`, `hangs`, `gone`"
        ]
    );
}

#[test]
fn cases_that_cannot_be_put_in_order_are_refused() {
    refused(
        "name: updates,",
        "name: creates,",
        &["put_volume/creates: another case has this name"],
    );
    refused(
        "{ operation: get_volume, case: reads }",
        "{ operation: get_volume, case: writes }",
        &["put_volume/updates: given get_volume/writes is no case"],
    );
    refused(
        "answer: { X-Nomad-Index: 41 }",
        "given: [{ operation: get_volume, case: reads }]",
        &[
            "get_volume/reads: its givens lead back to it",
            "put_volume/creates: its givens lead back to it",
            "put_volume/updates: its givens lead back to it",
            "put_volume/updates: it refers to put_volume/creates, which it is not given",
        ],
    );
    refused(
        "Note: \"at {{put_volume/creates: /Index}}\"",
        "Note: \"at {{put_volume/refuses: /message}}\"",
        &["put_volume/updates: it refers to put_volume/refuses, which it is not given"],
    );
}
