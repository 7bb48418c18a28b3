//! Child processes. `cat` gives back whatever it is told, so a client that has a
//! router hears its own calls, answers them, and hears its own answers.

use trunkline::{Client, FaultKind, Router, client::ConnectionState};

fn router() -> Router {
    Router::new().procedure("add", |(a, b): (i64, i64)| async move { a + b })
}

async fn check(address: &str) {
    let client = Client::builder(address).router(router()).connect().await.unwrap();
    assert_eq!(client.peer().unwrap().connection().transport(), "stdio");
    assert_eq!(client.call::<i64>("add", (2, 3)).await.unwrap(), 5);
    // cat ends when its standard input does, and only then is the client closed
    client.close().await;
    assert_eq!(client.state(), ConnectionState::Closed);
}

#[tokio::test]
async fn a_child_is_spoken_with_in_lines() {
    check("stdio:cat").await;
}

#[tokio::test]
async fn a_child_is_spoken_with_as_a_language_server() {
    check("stdio+lsp:cat").await;
}

#[tokio::test]
async fn a_child_that_ends_is_gone() {
    let client = Client::builder("stdio:true").connect().await.unwrap();
    let fault = client.call::<i64>("add", (2, 3)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    client.states().wait_for(|state| *state == ConnectionState::Closed).await.unwrap();
}
