//! What only `dev` has, `serve` has not.

use crate::site::Site;
use reqwest::Method;
use saddlebag_client::operations::Operation;

#[tokio::test]
async fn the_routes_for_tests_do_not_exist() {
    let site = Site::new();
    site.configure("builtin_driver = true");
    let serve = site.start(&[]).await;
    let of_tests = Operation::ALL
        .iter()
        .filter(|known| known.tag() == "testing");
    assert_eq!(of_tests.clone().count(), 5);
    for operation in of_tests {
        let method = Method::from_bytes(operation.method().as_bytes()).unwrap();
        let (status, answer) = serve.ask(method.clone(), operation.path(), None).await;
        let unknown = serve.ask(method, "/v1/nothing/here", None).await;
        assert_eq!((status, answer), unknown, "{}", operation.id());
        assert_eq!(status, 404);
    }
    serve.stop().await;
}
