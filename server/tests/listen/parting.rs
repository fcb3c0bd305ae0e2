//! Clients that read last, or not at all.

use crate::{Door, soon};
use saddlebag::http::listen::Limits;
use std::time::Duration;
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn what_is_answered_before_all_was_sent_is_found_by_who_reads_last() {
    let door = Door::open(Limits::default()).await;
    for _ in 0..10 {
        let mut client = door.connect().await;
        let body = vec![b'x'; 16 << 20];
        let length = body.len();
        let head =
            format!("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
        client.send(head).await;
        soon(client.send(body)).await;
        let answer = client.rest().await;
        assert!(answer.ends_with("\r\n\r\n/a"), "{answer}");
    }
    // So is what is no HTTP.
    let mut client = door.connect().await;
    client.send("no HTTP\r\n\r\n").await;
    soon(client.send(vec![b'x'; 16 << 20])).await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn at_the_end_nobody_is_waited_for_who_goes_on_sending() {
    let door = Door::open(Limits::default()).await;
    let mut client = door.connect().await;
    client.send("no HTTP\r\n\r\n").await;
    let mut answer = Vec::new();
    soon(client.0.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
    door.stop.cancel();
    soon(door.served).await.unwrap();
    drop(client);
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_closed_and_others_are_served() {
    let door = Door::open(Limits {
        untaken_time: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    let mut deaf = door.connect().await;
    deaf.ask("/long").await;
    let mut prompt = door.connect().await;
    prompt.ask("/a").await;
    prompt.until("/a").await;
    soon(door.given_up.cancelled()).await;
    prompt.ask("/b").await;
    prompt.until("/b").await;
}
