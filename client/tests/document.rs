//! The route table, as reviewers see it. `EXPECTORATE=overwrite cargo test` accepts a change.
use saddlebag_client::operations::Operation;

#[test]
fn route_table() {
    let table: String = Operation::ALL
        .iter()
        .map(|op| format!("{:6} {:32} {op:?}\n", op.method(), op.path()))
        .collect();
    expectorate::assert_contents("client/tests/operations.txt", &table);
}
